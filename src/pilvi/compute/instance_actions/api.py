"""/servers/{id}/os-instance-actions."""

from typing import Any

from pilvi.compute.instance_actions import service
from pilvi.compute.instance_actions.model import InstanceAction
from pilvi.compute.instance_actions.wire import ActionInList, show_action
from pilvi.compute.servers import policy
from pilvi.compute.servers import service as servers
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/servers/{server_id}/os-instance-actions")


def _project(ctx: Context, tx: Tx, server_id: str) -> str | None:
    """From 2.21 on a server that is gone may be asked about; before, it is as unknown as it looks."""
    server = servers.find(tx, server_id)
    if server is None and ctx.version < 21:
        raise servers.missing(server_id)
    return server.project_id if server else None


@routes.get(rule=policy.ACTIONS_LIST, view=ActionInList)
def list_(ctx: Context, tx: Tx, server_id: str, query: Query) -> Page[InstanceAction]:
    return service.list_(ctx, tx, server_id, _project(ctx, tx, server_id), query)


@routes.get("/{request_id}", rule=policy.ACTIONS_SHOW)
def show(ctx: Context, tx: Tx, server_id: str, request_id: str) -> dict[str, Any]:
    action, events = service.show(ctx, tx, server_id, _project(ctx, tx, server_id), request_id)
    return {"instanceAction": show_action(ctx, action, events)}
