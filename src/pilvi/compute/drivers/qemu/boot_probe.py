"""Whether KVM works here. /dev/kvm may exist and yet run no guest, so a guest is tried, once, and the answer kept."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pilvi.compute.drivers.qemu import process
from pilvi.compute.drivers.qemu.record import replace_file

MARKER: Final = b"PILVI"
TIMEOUT_S: Final = 20.0
# What a kernel that came up says: the tiny image's, or any kernel that finds no root file system.
KERNEL_MARKERS: Final = (b"tiny: initramfs:", b"Unable to mount root fs")


@dataclass(frozen=True, slots=True)
class Probe:
    works: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ProbeGuest:
    """A kernel to try, and its initramfs if it has one: the tiny image's, or the machine's own."""

    kernel: Path
    initramfs: Path | None = None


def choose(
    wanted: Literal["auto", "kvm", "tcg"], cache: Path, binary: str, guest: ProbeGuest | None = None
) -> tuple[Literal["kvm", "tcg"], str]:
    """The acceleration to use and why."""
    if wanted == "tcg":
        return "tcg", "the configuration says virt_type = tcg"
    probe = cached(cache, binary, guest)
    if probe.works:
        return "kvm", probe.reason
    if wanted == "kvm":
        return "kvm", f"the configuration insists on KVM, though {probe.reason}"
    return "tcg", probe.reason


def cached(cache: Path, binary: str, guest: ProbeGuest | None) -> Probe:
    """Asked anew after the machine, the kernel's device or QEMU changed."""
    key = _key(binary)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(cache.read_bytes())
        if known["key"] == key:
            return Probe(bool(known["works"]), str(known["reason"]))
    probe = run(binary, guest)
    cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(cache, json.dumps({"key": key, "works": probe.works, "reason": probe.reason}).encode())
    return probe


def run(binary: str, guest: ProbeGuest | None, *, acceleration: str = "kvm") -> Probe:
    if acceleration == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return Probe(False, "/dev/kvm is missing or may not be opened")
    with tempfile.TemporaryDirectory(prefix="pilvi-probe-") as name:
        sector = Path(name, "sector")
        sector.write_bytes(boot_sector().ljust(1024 * 1024, b"\0"))  # the BIOS boots no smaller disk
        words = ["-drive", f"if=ide,format=raw,file={sector}"]
        if not _says(binary, acceleration, [*words, "-snapshot"], (MARKER,)):
            return Probe(False, "a boot sector under KVM said nothing on its serial port")
    # Seen on a nested KVM: the boot sector runs and no kernel does. So the sector alone proves nothing.
    guest = guest if guest is not None and guest.kernel.exists() else own_kernel()
    if guest is None:
        return Probe(False, "there is no kernel to try KVM with; build the tiny image first")
    words = ["-kernel", str(guest.kernel), "-append", "console=ttyS0 tiny.shell panic=-1"]
    words += ["-initrd", str(guest.initramfs)] if guest.initramfs is not None else []
    if not _says(binary, acceleration, words, KERNEL_MARKERS):
        return Probe(False, f"{guest.kernel} did not come up under KVM")
    return Probe(True, "a Linux kernel booted under KVM")


def own_kernel() -> ProbeGuest | None:
    kernels = sorted(Path("/boot").glob("vmlinuz-*"), key=lambda path: path.stat().st_mtime)
    return ProbeGuest(kernels[-1]) if kernels else None


def boot_sector() -> bytes:
    """Sixteen-bit code that writes the marker to the first serial port and halts."""
    write_all = b"".join(b"\xb0" + bytes([letter]) + b"\xee" for letter in MARKER)  # mov al, letter; out dx, al
    code = b"\xba\xf8\x03" + write_all + b"\xfa\xf4\xeb\xfd"  # mov dx, 0x3f8; …; cli; hlt; jmp to hlt
    return code.ljust(510, b"\0") + b"\x55\xaa"


def _says(binary: str, acceleration: str, words: list[str], markers: tuple[bytes, ...]) -> bool:
    argv = [binary, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35"]
    argv += ["-accel", acceleration, "-m", "192", "-serial", "stdio", *words]
    deadline = time.monotonic() + TIMEOUT_S
    heard = b""
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    with child:
        assert child.stdout is not None
        while not _has_any(heard, markers) and (left_s := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([child.stdout], [], [], left_s)
            chunk = os.read(child.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                break
            heard = (heard + chunk)[-65536:]
        child.kill()
    return _has_any(heard, markers)


def _has_any(heard: bytes, markers: tuple[bytes, ...]) -> bool:
    return any(marker in heard for marker in markers)


def _key(binary: str) -> str:
    """Another boot of the machine may bring another kernel or another nesting; another QEMU may behave otherwise."""
    parts = [process.boot_id()]
    for path in (binary, "/dev/kvm"):
        with contextlib.suppress(OSError):
            status = Path(path).stat()
            parts.append(f"{status.st_ino}:{status.st_mtime_ns}:{status.st_size}")
    return " ".join(parts)
