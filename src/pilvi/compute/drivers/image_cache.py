"""Images that this host has fetched: verified, immutable, named by their content, and bounded in all.

A guest refers to an image by a hard link in its own directory, so the number of links says whether it is in use.
"""

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pilvi.compute.drivers import tool
from pilvi.compute.drivers.protocol import DriverFault, ImageFile

Download = Callable[[str, BinaryIO], None]
"""Writes the bytes of an image, given by its id, into a file."""

MOST_BYTES: Final = 50 * 1024**3
# Formats that QEMU cannot lay an overlay on safely: turned into qcow2 once, by an unprivileged process.
CONVERTED: Final = {"vmdk": "vmdk", "vdi": "vdi", "vhd": "vpc", "vhdx": "vhdx"}
CONVERTER_UID: Final = 65534
_SHA512 = re.compile(r"[0-9a-f]{128}\Z")
_QCOW2_MAGIC = b"QFI\xfb"
_MAGIC = {
    "qcow2": (0, _QCOW2_MAGIC),
    "vmdk": (0, b"KDMV"),
    "vhdx": (0, b"vhdxfile"),
    "vhd": (0, b"conectix"),
    "vdi": (64, b"\x7f\x10\xda\xbe"),
}
"""Format → where its mark stands and what it is. A whole disk and a CD have none that others may not have too."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as the desired state names it."""

    id: str
    sha512: str
    disk_format: str
    size_bytes: int
    virtual_size_bytes: int


class ImageCache:
    def __init__(self, directory: Path, download: Download, *, most_bytes: int = MOST_BYTES) -> None:
        self._directory = directory
        self._download = download
        self._most_bytes = most_bytes
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in directory.glob("*.part"):
            leftover.unlink(missing_ok=True)

    def ensure(self, image: Image) -> ImageFile:
        """The image's file. One fetch at a time per image, whoever asks."""
        if not _SHA512.match(image.sha512):
            raise DriverFault(f"Image {image.id} has no SHA-512 digest; upload it again.", retry=False)
        disk_format = "qcow2" if image.disk_format in CONVERTED else image.disk_format
        path = self._directory / f"{image.sha512}.{disk_format}"
        with self._lock:
            lock = self._locks.setdefault(image.sha512, threading.Lock())
        with lock:
            if not path.exists():
                self._make_room(image.size_bytes)
                self._fetch(image, path)
            os.utime(path)  # the least recently used image goes first
        return ImageFile(path, disk_format, virtual_size_bytes(path, disk_format))

    def prune(self) -> None:
        self._make_room(0)

    def _make_room(self, needed_bytes: int) -> None:
        with self._lock:
            files = [(path, path.stat()) for path in self._directory.iterdir() if path.suffix != ".part"]
            total = sum(status.st_size for _, status in files)
            for path, status in sorted(files, key=lambda file: file[1].st_mtime):
                if total + needed_bytes <= self._most_bytes:
                    return
                if status.st_nlink == 1:
                    path.unlink(missing_ok=True)
                    total -= status.st_size

    def _fetch(self, image: Image, path: Path) -> None:
        part = path.with_name(f"{image.sha512}.part")
        free_bytes = shutil.disk_usage(self._directory).free
        if image.size_bytes > free_bytes:
            raise DriverFault(
                f"Image {image.id} has {image.size_bytes} bytes; the host's disk has {free_bytes} left.", retry=True
            )
        try:
            with part.open("w+b") as file:
                self._download(image.id, file)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                digest = hashlib.file_digest(file, "sha512").hexdigest()
            if digest != image.sha512:
                raise DriverFault(f"Image {image.id} arrived damaged: its SHA-512 is {digest[:16]}….", retry=True)
            refuse_another_format(part, image.disk_format)
            if image.disk_format in CONVERTED:
                self._convert(image, part)
            refuse_references(part, "qcow2" if image.disk_format in CONVERTED else image.disk_format)
            part.chmod(0o444)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _convert(self, image: Image, part: Path) -> None:
        """In a directory of its own that holds nothing but the image, as a user who owns nothing else."""
        workshop = self._directory.parent / f"convert-{image.sha512[:16]}"
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(mode=0o700)
        try:
            source = workshop / "source"
            os.link(part, source)
            for path in (workshop, source):
                os.chown(path, CONVERTER_UID, CONVERTER_UID)
            argv = ["qemu-img", "convert", "-f", CONVERTED[image.disk_format], "-O", "qcow2", "source", "target"]
            tool.run(argv, directory=workshop, uid=CONVERTER_UID if os.geteuid() == 0 else None)
            os.chown(workshop / "target", os.geteuid(), os.getegid())
            (workshop / "target").replace(part)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


def virtual_size_bytes(path: Path, disk_format: str) -> int:
    """As the file itself says: an overlay that is smaller than its image would cut off the guest's disk."""
    if disk_format != "qcow2":
        return path.stat().st_size
    with path.open("rb") as file:
        return int.from_bytes(file.read(32)[24:32])


def refuse_another_format(path: Path, disk_format: str) -> None:
    """An image must be what it is said to be: a guest that is given the container of a disk as its disk cannot start,
    and nobody finds out why. Clouds that check uploads never get here."""
    with path.open("rb") as file:
        head = file.read(72)
    found = next((name for name, (at, magic) in _MAGIC.items() if head[at : at + len(magic)] == magic), None)
    if found is not None and found != disk_format:
        raise DriverFault(
            f"The image is said to be {disk_format} and is {found}. Upload it as what it is.", retry=False
        )


def refuse_references(path: Path, disk_format: str) -> None:
    """The last of three locks: a qcow2 header must not name another file, as backing file or as data file."""
    with path.open("rb") as file:
        header = file.read(104)
    is_qcow2 = header.startswith(_QCOW2_MAGIC)
    if disk_format != "qcow2":
        return  # opened as raw whatever it holds: the guest then sees the bytes themselves
    if not is_qcow2 or len(header) < 72:
        raise DriverFault("The image is said to be qcow2 and is not. Upload it with its true format.", retry=False)
    version = int.from_bytes(header[4:8])
    has_backing = int.from_bytes(header[8:16]) != 0
    incompatible = int.from_bytes(header[72:80]) if version >= 3 else 0
    if has_backing or incompatible & 0b100:
        raise DriverFault("The image refers to another file. Flatten it with qemu-img convert.", retry=False)
