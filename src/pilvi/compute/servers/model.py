"""A server: what is wanted of it, what its host has reported, and what users see of both. Pure."""

import hashlib
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pilvi.kernel import causes
from pilvi.kernel.errors import Conflict


class VmState(StrEnum):
    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"
    ERROR = "error"


class Task(StrEnum):
    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    DELETING = "deleting"
    IMAGE_SNAPSHOT = "image_snapshot"
    IMAGE_UPLOADING = "image_uploading"


class Power(StrEnum):
    """What a host should make of a guest, and what it reports."""

    ON = "on"
    OFF = "off"
    PAUSED = "paused"
    ABSENT = "absent"
    CRASHED = "crashed"


POWER_STATE = {Power.ON: 1, Power.PAUSED: 3, Power.OFF: 4, Power.CRASHED: 6, Power.ABSENT: 0}
"""The numbers that the API shows."""

VM_STATE = {Power.ON: VmState.ACTIVE, Power.PAUSED: VmState.PAUSED, Power.OFF: VmState.STOPPED,
            Power.CRASHED: VmState.STOPPED}  # fmt: skip

STATUS: dict[str, str] = {
    VmState.BUILDING: "BUILD", VmState.ACTIVE: "ACTIVE", VmState.STOPPED: "SHUTOFF", VmState.PAUSED: "PAUSED",
    VmState.ERROR: "ERROR",
}  # fmt: skip
TASK_STATUS: dict[tuple[str, str], str] = {
    (VmState.ACTIVE, Task.REBOOTING): "REBOOT",
    (VmState.ACTIVE, Task.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.STOPPED, Task.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.PAUSED, Task.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.ERROR, Task.REBOOTING_HARD): "HARD_REBOOT",
}
FROM_STATUS: dict[str, tuple[VmState, tuple[Task, ...] | None]] = {
    "BUILD": (VmState.BUILDING, None),
    "ACTIVE": (VmState.ACTIVE, None),
    "SHUTOFF": (VmState.STOPPED, None),
    "PAUSED": (VmState.PAUSED, None),
    "ERROR": (VmState.ERROR, None),
    "REBOOT": (VmState.ACTIVE, (Task.REBOOTING,)),
    "HARD_REBOOT": (VmState.ACTIVE, (Task.REBOOTING_HARD,)),
}
OTHER_STATUSES = frozenset({
    "DELETED", "SOFT_DELETED", "SUSPENDED", "RESCUE", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "SHELVED",
    "SHELVED_OFFLOADED", "MIGRATING", "REBUILD", "PASSWORD", "UNKNOWN",
})  # fmt: skip
"""Words of the API that no server has as long as the actions behind them do not exist; a filter by them finds none."""

CHANGEABLE = frozenset({"active", "paused", "suspended", "stopped"})
"""States in which what users hang on a server, metadata and tags, may change."""

DEADLINE_S = 900.0
"""How long a host may take for one task before the server says that something is wrong."""
SNAPSHOT_DEADLINE_S = 6 * 3600.0
"""A large disk takes its time, and the server goes on meanwhile."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step that a user may ask for: where it may start and what it makes wanted."""

    name: str
    since: frozenset[VmState]
    task: Task
    wanted: Power
    while_tasks: frozenset[Task] = frozenset()
    """Tasks during which it may be asked all the same."""


_UP_OR_ERROR = frozenset({VmState.ACTIVE, VmState.ERROR})
STOP = Action("stop", _UP_OR_ERROR, Task.POWERING_OFF, Power.OFF)
START = Action("start", frozenset({VmState.STOPPED}), Task.POWERING_ON, Power.ON)
PAUSE = Action("pause", frozenset({VmState.ACTIVE}), Task.PAUSING, Power.PAUSED)
UNPAUSE = Action("unpause", frozenset({VmState.PAUSED}), Task.UNPAUSING, Power.ON)
CREATE_IMAGE_SINCE = frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED})
REBOOT = Action("reboot", frozenset({VmState.ACTIVE}), Task.REBOOTING, Power.ON)
REBOOT_HARD = Action(
    "reboot",
    frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.ERROR}),
    Task.REBOOTING_HARD,
    Power.ON,
    frozenset({Task.REBOOTING, Task.REBOOTING_HARD, Task.PAUSING}),
)


@dataclass(slots=True)
class Server:
    id: str
    name: str
    hostname: str
    project_id: str
    user_id: str
    description: str | None
    flavor: dict[str, Any]
    """The flavor as it was when the server was made."""
    vcpus: int
    memory_mib: int
    image_id: str
    image: dict[str, Any]
    """What the host needs of the image: format, sizes, hash, properties."""
    key_name: str | None
    public_key: str | None
    user_data: str | None
    config_drive: bool
    metadata: dict[str, str]
    tags: list[str]
    admin_password: str
    access_ip_v4: str
    access_ip_v6: str
    disk_config: str
    availability_zone: str
    reservation_id: str
    launch_index: int
    created_at: str
    updated_at: str
    launched_at: str | None
    host: str | None
    vm_state: str
    task_state: str | None
    task_since: float
    power_state: int
    wanted_power: str
    generation: int
    """Counts what was asked of the host; a report with this number has fulfilled it."""
    seen_generation: int
    reboot_generation: int
    reboot_kind: str
    request_id: str
    """The request that asked for the present generation."""
    locked_by: str | None
    locked_reason: str | None
    fault: dict[str, Any] | None
    snapshot_image_id: str | None = None
    """The image that the host is making of the root disk."""
    nics: list[Any] = field(default_factory=list)
    """Filled in by lists and shows from the network service; not a column."""

    @property
    def status(self) -> str:
        return status_of(self.vm_state, self.task_state)


def status_of(vm_state: str, task_state: str | None) -> str:
    """What users see: the state, or the work in progress where that has a word of its own."""
    if task_state is not None:
        word = TASK_STATUS.get((vm_state, task_state))
        if word is not None:
            return word
    return STATUS[vm_state]


def check_action(server: Server, action: Action) -> None:
    """Raises Conflict unless the action may start now."""
    if VmState(server.vm_state) not in action.since:
        raise cannot(server, action.name, f"vm_state {server.vm_state}")
    if server.task_state is not None and Task(server.task_state) not in action.while_tasks:
        raise cannot(server, action.name, f"task_state {server.task_state}")


def check_snapshot(server: Server) -> None:
    """Raises Conflict unless an image may be made of the server now."""
    if VmState(server.vm_state) not in CREATE_IMAGE_SINCE:
        raise cannot(server, "createImage", f"vm_state {server.vm_state}")
    if server.task_state is not None:
        raise cannot(server, "createImage", f"task_state {server.task_state}")


def cannot(server: Server, action: str, where: str) -> Conflict:
    return Conflict(f"Cannot '{action}' instance {server.id} while it is in {where}")


def host_id(project_id: str, host: str | None) -> str:
    """Tells whether two servers of a project share a host, and nothing else."""
    if not host:
        return ""
    return hashlib.sha224(f"{project_id}{host}".encode()).hexdigest()


def plain_address(text: str) -> str:
    """An address in its shortest form; empty for none."""
    return str(ipaddress.ip_address(text)) if text else ""


def hostname_of(name: str, id: str) -> str:
    """A host name made of the server's name: letters, digits and dashes, 63 at most."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" if c in " _" else "" for c in name.lower())
    kept = kept.replace(".", "-").strip("-")[:63].strip("-")
    return kept or f"server-{id}"


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says of one guest."""

    id: str
    generation: int
    power: Power
    reboot_generation: int
    error: dict[str, Any] | None
    steps: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a report means for a server: the columns to change, and what becomes of it."""

    changes: dict[str, Any]
    gone: bool = False
    finished: bool = False
    failed: bool = False
    image_failed: bool = False
    """The server is as it was; only its image is not made."""


def outcome(server: Server, report: Report, now: str) -> Outcome:
    """Derive the new state from what is wanted and what was seen. Repeating a report changes nothing."""
    if report.error is not None and report.generation >= server.generation and not report.error.get("retry"):
        if "image" not in report.error:
            return _failure(server, report, now)
        if report.error["image"] == server.snapshot_image_id:  # else it is old news
            return Outcome({}, image_failed=True)
    if report.generation < server.generation:
        return Outcome({})
    if server.wanted_power == Power.ABSENT:
        return Outcome({}, gone=report.power == Power.ABSENT)
    rebooted = report.reboot_generation >= server.reboot_generation
    if report.power == server.wanted_power and rebooted:
        return _arrived(server, report, now)
    fell = report.power in (Power.OFF, Power.CRASHED) and server.wanted_power != Power.OFF
    in_error = server.vm_state == VmState.ERROR if server.task_state is None else report.error is not None
    if fell and not in_error:
        return _powered_off_itself(report, server, now)
    return Outcome({})


def _arrived(server: Server, report: Report, now: str) -> Outcome:
    state = VM_STATE[report.power]
    power_state = POWER_STATE[report.power]
    settled = server.vm_state == state and server.power_state == power_state
    # What was already fulfilled and is in error is so by an operator's word; a report does not overrule it.
    reset = server.vm_state == VmState.ERROR
    if (settled or reset) and server.task_state is None and server.seen_generation == report.generation:
        return Outcome({})
    changes: dict[str, Any] = {
        "vm_state": str(state), "task_state": None, "power_state": power_state,
        "seen_generation": report.generation, "updated_at": now, "fault": None,
    }  # fmt: skip
    if server.launched_at is None:
        changes["launched_at"] = now
    if server.snapshot_image_id:  # the image's arrival ends that task, not this report
        changes["task_state"] = server.task_state
        return Outcome({} if settled and server.seen_generation == report.generation else changes)
    return Outcome(changes, finished=True)


def _powered_off_itself(report: Report, server: Server, now: str) -> Outcome:
    """The guest shut itself down, perhaps just after it had become what was asked: it stays off until it is started."""
    changes: dict[str, Any] = {
        "vm_state": str(VmState.STOPPED), "power_state": POWER_STATE[report.power], "updated_at": now,
        "wanted_power": str(Power.OFF), "generation": max(server.generation, report.generation) + 1,
    }  # fmt: skip
    if server.task_state is None or server.snapshot_image_id:
        return Outcome(changes)
    done = {"task_state": None, "fault": None, "launched_at": server.launched_at or now}
    return Outcome(changes | done, finished=True)


def _failure(server: Server, report: Report, now: str) -> Outcome:
    assert report.error is not None
    if server.vm_state == VmState.ERROR and server.task_state is None:
        return Outcome({})
    said = report.error["message"]
    fault = {
        "code": 500, "created": now, "message": causes.for_tenant(said, [server.host or ""]),
        "details": "\n".join(filter(None, (f"{server.host}: {said}", report.error.get("detail", "")))),
    }  # fmt: skip
    changes = {
        "vm_state": str(VmState.ERROR), "task_state": None, "power_state": POWER_STATE[report.power],
        "updated_at": now, "fault": fault,
    }  # fmt: skip
    return Outcome(changes, finished=True, failed=True)
