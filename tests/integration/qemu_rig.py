"""A host directory with the real driver, TCG only, and two guests to choose from: a boot sector and the tiny image."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pilvi.compute.drivers.protocol import GuestSpec, ImageFile
from pilvi.compute.drivers.qemu import process, record
from pilvi.compute.drivers.qemu.boot_probe import boot_sector
from pilvi.compute.drivers.qemu.driver import Qemu, QemuConfig
from pilvi.ops import tiny_image

TINY_DIR = Path("/var/tmp/pilvi-tiny")
TINY_VIRTUAL_BYTES = 49 * 1024 * 1024
PATIENCE_S = 120.0


def make_driver(directory: Path, on_change: Callable[[str], None] | None = None) -> Qemu:
    return Qemu(QemuConfig(directory=directory, virt_type="tcg"), on_change)


@contextmanager
def leaving_nothing(directory: Path) -> Iterator[None]:
    """Whatever a test did, no process of its guests is left."""
    try:
        yield
    finally:
        for guest in (directory / "guests").glob("*-*"):
            kill_guest(directory, guest.name)
        wait_until(process.bury_ended)


def kill_guest(directory: Path, guest_id: str) -> None:
    """Dead and, where it is a child of ours, buried: nobody asks for it again when the test is over."""
    known = record.read(directory / "guests" / guest_id)
    if known is not None and known.boot_id == process.boot_id():
        process.kill(process.Process(known.pid, known.start_ticks))


def sector_spec(directory: Path, guest_id: str) -> GuestSpec:
    """A guest of one boot sector: it writes PILVI to the serial port and halts. Starts at once, costs nothing."""
    path = directory / "sector.raw"
    if not path.exists():
        path.write_bytes(boot_sector().ljust(1024 * 1024, b"\0"))
    return GuestSpec(guest_id, "sector", 1, 1, 32, 1, ImageFile(path, "raw", 1024 * 1024))


def tiny_spec(directory: Path, guest_id: str) -> GuestSpec:
    """The tiny image, copied beside the guests because a guest's image is a hard link."""
    path = directory / "tiny.qcow2"
    if not path.exists():
        path.write_bytes(tiny_image.build(TINY_DIR, TINY_DIR / "work").read_bytes())
        path.chmod(0o444)
    return GuestSpec(guest_id, "tiny", 1, 1, 192, 1, ImageFile(path, "qcow2", TINY_VIRTUAL_BYTES))


def wait_until(holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def wait_for_text(driver: Qemu, guest_id: str, text: bytes) -> bytes:
    wait_until(lambda: text in driver.console_output(guest_id, max_bytes=262144))
    return driver.console_output(guest_id, max_bytes=262144)
