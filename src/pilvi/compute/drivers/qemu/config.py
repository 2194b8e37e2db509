"""What the driver is told when it is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pilvi.compute.drivers.qemu.boot_probe import ProbeGuest


@dataclass(frozen=True, slots=True)
class QemuConfig:
    directory: Path  # `host/` of the state directory; guests and their files live below it
    virt_type: Literal["auto", "kvm", "tcg"] = "auto"
    binary: str = "qemu-system-x86_64"
    cpu_model: str = ""  # empty: host under KVM, a fixed portable model under TCG
    first_uid: int = 0  # of the range of users that guests run as; 0 derives one from the directory
    probe_guest: ProbeGuest | None = None
