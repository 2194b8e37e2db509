"""Opening consoles: a token now, the bytes later through `live`."""

from pilvi.compute.remote_consoles import store
from pilvi.compute.remote_consoles.model import TOKEN_LIFETIME_S, ConsoleToken, hashed
from pilvi.compute.servers import policy
from pilvi.compute.servers import service as servers
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound, Unauthorized

TYPES = {"novnc": "vnc"}
"""Console types that this cloud has, with their protocol."""
KNOWN = ("novnc", "xvpvnc", "rdp-html5", "serial", "spice-html5", "webmks")


def open_console(ctx: Context, tx: Tx, server_id: str, kind: str) -> str:
    """The URL under which a browser finds the guest's screen, once."""
    server = servers.get(ctx, tx, server_id, policy.CONSOLE_CREATE)
    if kind not in TYPES:
        raise BadRequest(f"Unavailable console type {kind}: this cloud has {', '.join(TYPES)}.")
    if server.host is None or server.vm_state not in ("active", "paused"):
        raise Conflict(
            f"Instance {server_id} is not ready: a console needs a running server, this one is {server.vm_state}."
        )
    token = ids.random_bytes(32).hex()
    store.drop_expired(tx, clock.now())
    expires_at = clock.now() + TOKEN_LIFETIME_S
    store.add(
        tx, ConsoleToken(hashed(token), server_id, server.host, kind, ctx.user_id, server.project_id, expires_at, False)
    )
    return f"{ctx.cloud_url}/console/vnc.html?autoconnect=true&path=console/websocket?token={token}"


def redeem(tx: Tx, token: str) -> ConsoleToken:
    """Use a token up; raises Unauthorized when it is unknown, old or used."""
    found = store.find(tx, hashed(token))
    if found is None or not store.use(tx, hashed(token), clock.now()):
        raise Unauthorized("This console address was used or has expired; open a new one.")
    if servers.find(tx, found.server_id) is None:
        raise Unauthorized("The server of this console is gone.")
    return found


def show_token(ctx: Context, tx: Tx, token: str) -> ConsoleToken:
    policy.CONSOLE_TOKENS.check(ctx)
    found = store.find(tx, hashed(token))
    if found is None or found.expires_at <= clock.now():
        raise NotFound("Token not found")
    return found
