"""What is remembered about a guest between calls, in one file of its directory, replaced whole and synced."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, ImageFile, Nic, StoppedBy

FILE: Final = "guest.json"
MOST_CRASHES: Final = 10

RebootPhase = Literal["", "stopping", "resetting"]


@dataclass(frozen=True, slots=True)
class Record:
    spec: GuestSpec
    uid: int
    pci_plan: int
    machine_type: str  # as of the first definition: a newer QEMU must not change the hardware under the guest
    pid: int = 0
    start_ticks: int = 0  # with the pid it names a process for ever, though pids are used again
    boot_id: str = ""
    stopped_by: StoppedBy = "nobody"
    stopped_generation: int = 0
    reboot_generation: int = 0
    rebooting_generation: int = 0
    reboot_phase: RebootPhase = ""
    crashed_at: tuple[float, ...] = ()

    def started(self, *, pid: int, start_ticks: int, boot_id: str) -> "Record":
        return replace(self, pid=pid, start_ticks=start_ticks, boot_id=boot_id, stopped_by="nobody")

    def crashed(self, at: float) -> "Record":
        return replace(self, crashed_at=(*self.crashed_at, at)[-MOST_CRASHES:])

    def rebooted(self, generation: int) -> "Record":
        return replace(self, reboot_generation=generation, rebooting_generation=0, reboot_phase="")


def read(directory: Path) -> Record | None:
    """None if the guest is not (or not yet) defined. A file that cannot be understood is a fault, never a guess."""
    try:
        content = (directory / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _from_json(json.loads(content))
    except (ValueError, TypeError, KeyError) as error:
        raise DriverFault(
            f"{directory / FILE} cannot be understood: {error}. Restore or remove it.", retry=False
        ) from error


def write(directory: Path, record: Record) -> None:
    text = json.dumps(_to_json(record), indent=1, sort_keys=True)
    replace_file(directory / FILE, text.encode())


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """After a power cut the file holds either the former content or this one."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _to_json(record: Record) -> dict[str, Any]:
    fields = asdict(record)
    spec = fields["spec"]
    spec["image"]["path"] = str(record.spec.image.path)
    # The drive itself is on disk; the record only says that there is one.
    spec["config_drive"] = None if record.spec.config_drive is None else {}
    return fields


def _from_json(fields: Mapping[str, Any]) -> Record:
    spec = dict(fields["spec"])
    spec["image"] = ImageFile(**{**spec["image"], "path": Path(spec["image"]["path"])})
    spec["nics"] = tuple(Nic(**nic) for nic in spec["nics"])
    rest = {name: value for name, value in fields.items() if name != "spec"}
    rest["crashed_at"] = tuple(rest["crashed_at"])
    return Record(spec=GuestSpec(**spec), **rest)
