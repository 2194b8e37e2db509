"""What users see of actions; the steps of others' hosts only for operators."""

from typing import Annotated, Any, ClassVar

from pilvi.compute.instance_actions.model import ActionEvent, InstanceAction
from pilvi.compute.servers import policy
from pilvi.compute.servers.model import host_id
from pilvi.kernel.context import Context
from pilvi.kernel.wire import From, Name, Since, View


def _micro(stamp: str) -> str:
    return stamp.removesuffix("Z")


class ActionInList(View, root="instanceAction", plural="instanceActions", links="links"):
    marker: ClassVar[str] = "request_id"
    action: str
    instance_uuid: Annotated[str, From(lambda a: a.server_id)]
    request_id: str
    user_id: str
    project_id: str
    start_time: Annotated[str, From(lambda a: _micro(a.start_time))]
    message: str | None
    updated: Annotated[str, Name("updated_at"), From(lambda a: _micro(a.updated_at)), Since("2.58")]


def show_action(ctx: Context, action: InstanceAction, events: list[ActionEvent]) -> dict[str, Any]:
    """One action with its steps, as far as this caller may see them."""
    shown = ActionInList.renderer(ctx)(action, ctx)
    operator = policy.ACTIONS_EVENTS.allows(ctx, project_id=action.project_id)
    if operator or ctx.version >= 51:
        shown["events"] = [_event(ctx, action, event, operator) for event in events]
    return shown


def _event(ctx: Context, action: InstanceAction, event: ActionEvent, operator: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "event": event.event,
        "start_time": _micro(event.start_time),
        "finish_time": None if event.finish_time is None else _micro(event.finish_time),
        "result": event.result,
    }
    if operator:
        shown["traceback"] = event.traceback
    if ctx.version >= 62:
        shown["hostId"] = host_id(action.project_id, event.host)
        if operator:
            shown["host"] = event.host
    return shown
