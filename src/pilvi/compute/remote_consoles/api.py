"""/servers/{id}/remote-consoles, the console actions before 2.6, and /os-console-auth-tokens."""

from typing import Any, Literal

from pilvi.compute.remote_consoles import service
from pilvi.compute.remote_consoles.policy import CONSOLE_CREATE, CONSOLE_TOKENS
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.kernel.wire import Body

routes = Routes("compute")


class RemoteConsole(Body, root="remote_console"):
    protocol: Literal["vnc", "spice", "rdp", "serial", "mks"]
    type: Literal["novnc", "xvpvnc", "rdp-html5", "serial", "spice-html5", "webmks"]


class OldVnc(Body, root="os-getVNCConsole"):
    type: Literal["novnc", "xvpvnc"]


@routes.post("/servers/{server_id}/remote-consoles", rule=CONSOLE_CREATE, body=RemoteConsole, since="2.6")
def create(ctx: Context, tx: Tx, server_id: str, body: RemoteConsole) -> dict[str, Any]:
    url = service.open_console(ctx, tx, server_id, body.type)
    return {"remote_console": {"protocol": body.protocol, "type": body.type, "url": url}}


@routes.action(
    "/servers/{server_id}/action", "os-getVNCConsole", rule=CONSOLE_CREATE, body=OldVnc, status=200, until="2.5"
)
def old_vnc(ctx: Context, tx: Tx, server_id: str, body: OldVnc) -> dict[str, Any]:
    return {"console": {"type": body.type, "url": service.open_console(ctx, tx, server_id, body.type)}}


@routes.get("/os-console-auth-tokens/{token}", rule=CONSOLE_TOKENS, since="2.31")
def show_token(ctx: Context, tx: Tx, token: str) -> dict[str, Any]:
    found = service.show_token(ctx, tx, token)
    return {"console": {"instance_uuid": found.server_id, "host": found.host, "port": 0, "internal_access_path": None}}
