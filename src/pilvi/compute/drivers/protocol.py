"""What a hypervisor must do for us. Calls repeat after crashes: each is idempotent and synchronous.

Calls about different guests may run at once; the caller makes at most one call at a time about one guest, except
`guests`, `console_output` and `vnc_socket`, which may come at any moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

Power = Literal["on", "off", "paused", "crashed"]
RebootKind = Literal["soft", "hard"]
StoppedBy = Literal["nobody", "host", "guest", "outage"]

OpenTap = Callable[[str], int]
"""From a port's id to a file descriptor of its tap device, opened in the data plane; the driver closes it."""

SOFT_TIMEOUT_S = 60.0


class DriverFault(Exception):
    """A call that could not be carried out. `retry` says whether the same call may succeed later by itself."""

    def __init__(self, message: str, *, retry: bool, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry
        self.detail = detail  # for the operator: what the tool said


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this host's hypervisor offers; placement's traits and inventories are derived from it."""

    hypervisor: str  # "QEMU", "fake"
    version: str
    acceleration: Literal["kvm", "tcg", "none"]
    vcpus: int
    memory_mib: int
    disk_gib: int
    cpu_model: str = ""
    disk_formats: frozenset[str] = frozenset({"qcow2", "raw"})
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A verified, immutable file of the host's image cache."""

    path: Path
    disk_format: str
    virtual_size_bytes: int


@dataclass(frozen=True, slots=True)
class Nic:
    port_id: str
    mac: str
    mtu: int = 1500


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """Everything that defining a guest takes. What is not here the guest does not have."""

    id: str
    name: str
    generation: int
    vcpus: int
    memory_mib: int
    root_gib: int
    image: ImageFile
    ephemeral_gib: int = 0
    swap_mib: int = 0
    nics: tuple[Nic, ...] = ()
    image_properties: Mapping[str, str] = field(default_factory=dict)
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    config_drive: Mapping[str, bytes] | None = None  # path in the drive -> content; None means no drive
    reboot_generation: int = 0  # reboots asked for before the guest was first defined count as done


@dataclass(frozen=True, slots=True)
class Observed:
    """A guest as it is. `stopped_by` says why a guest that is not running does not run."""

    id: str
    power: Power
    generation: int  # of the spec last defined
    stopped_generation: int = 0  # of the spec in force when the guest shut itself down
    reboot_generation: int = 0
    stopped_by: StoppedBy = "nobody"  # outage: the machine or the hypervisor process went down under it
    crashes: int = 0  # in the last hour
    detail: str = ""


def never() -> bool:
    return False


class Hypervisor(Protocol):
    def capabilities(self) -> Capabilities:
        """Asked at the agent's start and with every full report. Bounded in time, cached by the driver."""

    def guests(self) -> Mapping[str, Observed]:
        """Asked at every turn. Complete: a guest that is not listed does not exist here, whoever made it."""

    def define(self, spec: GuestSpec) -> None:
        """Called before power_on, and again when the generation changes. Afterwards the guest's disks and record
        exist; existing disks keep their content, a running guest goes on as it is until it is next started."""

    def power_on(self, guest_id: str, open_tap: OpenTap) -> None:
        """Called when a defined guest is wanted on. Afterwards it runs; if it ran, or was paused, nothing happened."""

    def power_off(self, guest_id: str, *, timeout_s: float, hurry: Callable[[], bool] = never) -> None:
        """Called when a guest is wanted off. Asks the guest to shut down, and pulls the plug after the timeout or as
        soon as `hurry()` is true. Afterwards nothing of it runs, its disks are closed, `stopped_by` is "host"."""

    def reboot(
        self,
        guest_id: str,
        kind: RebootKind,
        *,
        generation: int,
        open_tap: OpenTap,
        timeout_s: float,
        hurry: Callable[[], bool] = never,
    ) -> None:
        """Called when a reboot is wanted that has not been done. Afterwards the guest runs, was rebooted exactly once
        for this generation however often the call was interrupted, and `reboot_generation` says so."""

    def pause(self, guest_id: str) -> None:
        """Called when a running guest is wanted paused. Afterwards its processors stand still."""

    def resume(self, guest_id: str) -> None:
        """Called when a paused guest is wanted on. Afterwards its processors run."""

    def snapshot(self, guest_id: str, *, hurry: Callable[[], bool] = never) -> Path:
        """Called when an image of a guest is wanted, which may run or not. Afterwards the file holds its root disk as
        it was at one moment, as qcow2 that refers to no other file; the caller removes it. Gives up on `hurry()`."""

    def destroy(self, guest_id: str) -> None:
        """Called when a guest is wanted no more. Afterwards no process, file or record of it is left."""


@runtime_checkable
class HasConsole(Protocol):
    def console_output(self, guest_id: str, *, max_bytes: int) -> bytes:
        """The end of what the guest wrote to its first serial port; empty if there is no such guest."""

    def vnc_socket(self, guest_id: str) -> Path | None:
        """A unix socket that speaks RFB, while the guest runs with a screen."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a running guest has used since it was started, and the memory that it occupies now."""

    cpu_s: float
    memory_bytes: int
    read_bytes: int
    written_bytes: int


@runtime_checkable
class HasUsage(Protocol):
    def usage(self) -> Mapping[str, Usage]:
        """By the ids of the guests that run. Cheap: asked at every scrape, at any moment, from any thread."""
