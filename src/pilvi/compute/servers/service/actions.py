"""Changing servers: what is wanted of the host changes, the agent makes it true, its report completes the action."""

from typing import Any

from pilvi.compute.instance_actions import service as actions
from pilvi.compute.servers import policy, store
from pilvi.compute.servers.model import (
    PAUSE,
    REBOOT,
    REBOOT_HARD,
    START,
    STOP,
    UNPAUSE,
    VM_STATE,
    Action,
    Power,
    Server,
    Task,
    VmState,
    cannot,
    check_action,
    plain_address,
)
from pilvi.compute.servers.service.lists import get, reread
from pilvi.compute.servers.service.reports import forget
from pilvi.compute.servers.service.snapshots import image_failed
from pilvi.kernel import clock, hosts, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict
from pilvi.kernel.policy import Rule
from pilvi.network import facade as network


def check_lock(ctx: Context, server: Server) -> None:
    """A locked server is left alone but by those who may override the lock."""
    if server.locked_by is not None and not policy.UNLOCK_OVERRIDE.allows(ctx, project_id=server.project_id):
        raise Conflict(f"Instance {server.id} is locked")


def _act(ctx: Context, tx: Tx, id: str, rule: Rule, action: Action, more: dict[str, Any] | None = None) -> None:
    server = get(ctx, tx, id, rule)
    check_lock(ctx, server)
    check_action(server, action)
    if server.host is None:
        raise Conflict(f"Cannot '{action.name}' instance {id}: it is on no host. {_why(server)}".strip())
    changes: dict[str, Any] = {
        "task_state": action.task, "task_since": clock.now(), "wanted_power": action.wanted,
        "generation": server.generation + 1, "request_id": ctx.request_id, "updated_at": clock.timestamp(),
        **(more or {}),
    }  # fmt: skip
    if not store.update(tx, id, changes, generation=server.generation):
        raise Conflict(f"Cannot '{action.name}' instance {id}: it was changed at this moment. Look and try again.")
    actions.start(ctx, tx, id, server.project_id, action.name)
    hosts.changed(tx, server.host)
    work.poke(tx, "server", id, ctx.request_id, after_s=5.0)


def _why(server: Server) -> str:
    return str(server.fault["message"]) if server.fault else ""


def start(ctx: Context, tx: Tx, id: str) -> None:
    _act(ctx, tx, id, policy.START, START)


def stop(ctx: Context, tx: Tx, id: str) -> None:
    _act(ctx, tx, id, policy.STOP, STOP)


def pause(ctx: Context, tx: Tx, id: str) -> None:
    _act(ctx, tx, id, policy.PAUSE, PAUSE)


def unpause(ctx: Context, tx: Tx, id: str) -> None:
    _act(ctx, tx, id, policy.UNPAUSE, UNPAUSE)


def reboot(ctx: Context, tx: Tx, id: str, *, hard: bool) -> None:
    server = get(ctx, tx, id, policy.REBOOT)
    more = {"reboot_generation": server.reboot_generation + 1, "reboot_kind": "hard" if hard else "soft"}
    _act(ctx, tx, id, policy.REBOOT, REBOOT_HARD if hard else REBOOT, more)


def restore(ctx: Context, tx: Tx, id: str) -> None:
    """Servers are deleted at once in this cloud: there is never one to take back."""
    server = get(ctx, tx, id, policy.RESTORE)
    raise cannot(server, "restore", f"vm_state {server.vm_state}")


def delete(ctx: Context, tx: Tx, id: str, rule: Rule = policy.DELETE) -> None:
    """Always accepted. What is on a host goes once the host says that nothing is left; the rest goes now."""
    server = get(ctx, tx, id, rule)
    check_lock(ctx, server)
    actions.start(ctx, tx, id, server.project_id, "delete")
    if server.host is None:
        forget(ctx, tx, server)
        return
    if server.wanted_power == Power.ABSENT and server.task_state is not None:
        return
    # One whose host has given up is asked for anew: the host tries again for another generation.
    changes = {
        "task_state": Task.DELETING, "task_since": clock.now(), "wanted_power": Power.ABSENT,
        "generation": server.generation + 1, "request_id": ctx.request_id, "updated_at": clock.timestamp(),
    }  # fmt: skip
    store.update(tx, id, changes)
    hosts.changed(tx, server.host)
    work.poke(tx, "server", id, ctx.request_id, after_s=5.0)


def lock(ctx: Context, tx: Tx, id: str, reason: str | None = None) -> None:
    server = get(ctx, tx, id, policy.LOCK)
    by = "owner" if ctx.project_id == server.project_id and not ctx.is_admin else "admin"
    if server.locked_by is not None and server.locked_by != by and by != "admin":
        return
    store.update(tx, id, {"locked_by": by, "locked_reason": reason})
    actions.start(ctx, tx, id, server.project_id, "lock")


def unlock(ctx: Context, tx: Tx, id: str) -> None:
    server = get(ctx, tx, id, policy.UNLOCK)
    if server.locked_by == "admin":
        policy.UNLOCK_OVERRIDE.check(ctx, project_id=server.project_id)
    store.update(tx, id, {"locked_by": None, "locked_reason": None})
    actions.start(ctx, tx, id, server.project_id, "unlock")


def reset_state(ctx: Context, tx: Tx, id: str, state: str) -> None:
    """An operator's word against ours: no task any more, and the state that the operator names."""
    server = get(ctx, tx, id, policy.RESET_STATE)
    if server.wanted_power == Power.ABSENT:
        raise Conflict(f"Cannot 'reset_state' instance {id}: it is being deleted, and ends when its host is done.")
    if server.host is None and state != VmState.ERROR:
        raise Conflict(f"Cannot 'reset_state' instance {id}: it is on no host. {_why(server)}".strip())
    image_failed(tx, server)
    now = clock.timestamp()
    changes: dict[str, Any] = {"vm_state": VmState(state), "task_state": None, "updated_at": now}
    if state == VmState.ACTIVE:  # Out of error, into what it is to be: nobody starts a guest by this.
        changes["vm_state"] = VM_STATE[Power(server.wanted_power)]
    if state == VmState.ERROR and server.fault is None:
        message = "An operator put the server into this state."
        changes["fault"] = {"code": 500, "created": now, "message": message, "details": ""}
    store.update(tx, id, changes)
    actions.start(ctx, tx, id, server.project_id, "resetState")


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Server:
    server = get(ctx, tx, id, policy.UPDATE)
    if server.locked_by is not None and not ctx.is_admin:
        raise Conflict(f"Instance {server.id} is locked")
    if "access_ip_v6" in changes:
        changes = changes | {"access_ip_v6": plain_address(changes["access_ip_v6"])}
    store.update(tx, id, changes | {"updated_at": clock.timestamp()})
    if server.host:
        hosts.changed(tx, server.host)
    return reread(tx, id)


def console_output(ctx: Context, tx: Tx, id: str) -> Server:
    """Checks that a console log can be asked for; the bytes come from the host afterwards."""
    server = get(ctx, tx, id, policy.CONSOLE_OUTPUT)
    if server.host is None or server.vm_state == VmState.BUILDING:
        raise Conflict(f"Instance {id} is not ready: it has no console yet.")
    return server


def add_security_group(ctx: Context, tx: Tx, id: str, name: str) -> None:
    server = get(ctx, tx, id, policy.ADD_GROUP)
    network.attach_security_group(ctx, tx, server.id, name)


def remove_security_group(ctx: Context, tx: Tx, id: str, name: str) -> None:
    server = get(ctx, tx, id, policy.REMOVE_GROUP)
    network.detach_security_group(ctx, tx, server.id, name)
