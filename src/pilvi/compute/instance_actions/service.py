"""Actions: started by requests, filled with the steps that hosts report, readable after the server is gone."""

from pilvi.compute.instance_actions import store
from pilvi.compute.instance_actions.model import ActionEvent, InstanceAction
from pilvi.compute.servers import policy
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def start(ctx: Context, tx: Tx, server_id: str, project_id: str, action: str) -> None:
    """The request of this context is doing `action` with the server."""
    now = clock.timestamp()
    store.start(tx, InstanceAction(server_id, ctx.request_id, action, ctx.user_id, project_id, now, now, None))


def event(
    tx: Tx,
    server_id: str,
    request_id: str,
    name: str,
    *,
    start_time: str,
    finish_time: str | None,
    failed: bool = False,
    host: str = "",
    details: str | None = None,
) -> None:
    """One step. The same step reported again overwrites itself."""
    result = None if finish_time is None else "Error" if failed else "Success"
    store.put_event(
        tx, ActionEvent(server_id, request_id, name[:64], start_time, finish_time, result, None, host, details)
    )
    store.touch(tx, server_id, request_id, at=finish_time or start_time, message="Error" if failed else None)


def list_(ctx: Context, tx: Tx, server_id: str, project_id: str | None, query: Query) -> Page[InstanceAction]:
    """Actions of a server, newest first; of a server that is gone too (`project_id=None`)."""
    owner = project_id or store.project_of(tx, server_id)
    if owner is None:
        policy.ACTIONS_LIST.check(ctx, project_id=ctx.project_id)
        raise NotFound(f"Instance {server_id} could not be found.")
    policy.ACTIONS_LIST.check(ctx, NotFound(f"Instance {server_id} could not be found."), project_id=owner)
    if ctx.version < 58:
        return store.page(tx, server_id, marker=None, limit=None, since=None)
    marker = None
    if query.get("marker"):
        marker = store.find(tx, server_id, query.get("marker") or "")
        if marker is None:
            raise BadRequest(f"Marker {query.get('marker')} could not be found.")
    return store.page(
        tx, server_id, marker=marker, limit=query.limit(), since=_time(query, "changes-since"),
    )  # fmt: skip


def _time(query: Query, name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return clock.timestamp(clock.parse(text))
    except ValueError:
        raise BadRequest(f"{name} is not an ISO 8601 time: {text}.") from None


def show(
    ctx: Context, tx: Tx, server_id: str, project_id: str | None, request_id: str
) -> tuple[InstanceAction, list[ActionEvent]]:
    owner = project_id or store.project_of(tx, server_id) or ctx.project_id
    policy.ACTIONS_SHOW.check(ctx, NotFound(f"Instance {server_id} could not be found."), project_id=owner)
    action = store.find(tx, server_id, request_id)
    if action is None:
        raise NotFound(f"Action for request_id {request_id} on instance {server_id} not found")
    return action, store.events_of(tx, server_id, request_id)


def forget(tx: Tx, before: str) -> int:
    """Drop actions that nothing was added to since a timestamp."""
    return store.drop_older(tx, before)
