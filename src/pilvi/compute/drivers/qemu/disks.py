"""A guest's disks: an overlay on the image, scratch disks, the config drive. Each is made once, whole, and kept.

No tool ever opens an image here: the overlay is made from sizes that the image service computed, with formats named.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pilvi.compute.drivers import tool
from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, ImageFile
from pilvi.compute.drivers.qemu import argv, config_drive

GIB: Final = 1024**3
MIB: Final = 1024**2


def ensure(directory: Path, spec: GuestSpec, uid: int) -> None:
    _link_image(directory, spec.image)
    _once(directory, argv.DISK, uid, lambda part: _root(directory, part, spec))
    if spec.ephemeral_gib > 0:
        _once(directory, argv.EPHEMERAL, uid, lambda part: _ephemeral(directory, part, spec.ephemeral_gib * GIB))
    if spec.swap_mib > 0:
        _once(directory, argv.SWAP, uid, lambda part: _swap(directory, part, spec.swap_mib * MIB))
    if spec.config_drive is not None:
        files = spec.config_drive
        _once(directory, argv.CONFIG_DRIVE, uid, lambda part: config_drive.write(part, files), mode=0o440, owner=0)


def root_size_bytes(spec: GuestSpec) -> int:
    """The flavor's disk; a flavor of size zero gives what the image needs."""
    image_bytes = 0 if spec.image.disk_format == "iso" else spec.image.virtual_size_bytes
    if spec.root_gib == 0:
        return max(image_bytes, GIB if image_bytes == 0 else 0)
    if image_bytes > spec.root_gib * GIB:
        raise DriverFault(
            f"The image needs a disk of {-(-image_bytes // GIB)} GiB; the flavor gives {spec.root_gib} GiB.",
            retry=False,
        )
    return spec.root_gib * GIB


def size_of_root(directory: Path) -> int:
    """As its own header says, for the guest sees a disk of that size."""
    with (directory / argv.DISK).open("rb") as file:
        return int.from_bytes(file.read(32)[24:32])


def _link_image(directory: Path, image: ImageFile) -> None:
    """A hard link: the guest's user sees this one image and no other, and the cache sees that it is in use."""
    link = directory / argv.IMAGE
    if link.exists():
        return
    try:
        os.link(image.path, link)
    except FileNotFoundError as error:
        raise DriverFault(f"{image.path} left the image cache meanwhile.", retry=True) from error
    except OSError as error:
        raise DriverFault(f"{image.path} cannot be linked into {directory}: {error.strerror}.", retry=False) from error


def _once(
    directory: Path,
    name: str,
    uid: int,
    make: Callable[[Path], None],
    *,
    mode: int = 0o600,
    owner: int | None = None,
) -> None:
    """Made under another name and renamed, so a disk is either whole or absent."""
    path, part = directory / name, directory / (name + ".part")
    if path.exists():
        return
    part.unlink(missing_ok=True)
    make(part)
    if os.geteuid() == 0:
        os.chown(part, uid if owner is None else owner, uid)
    part.chmod(mode)
    part.replace(path)


def _root(directory: Path, part: Path, spec: GuestSpec) -> None:
    size = str(root_size_bytes(spec))
    if spec.image.disk_format == "iso":
        tool.run(["qemu-img", "create", "-q", "-f", "qcow2", part.name, size], directory=directory)
        return
    # -u: the backing file is not opened. Its format stands in the header for the operator's tools only; the guest's
    # process names the whole chain itself.
    backing = ["-u", "-b", argv.IMAGE, "-F", argv.image_driver(spec)]
    tool.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, part.name, size], directory=directory)


def _ephemeral(directory: Path, part: Path, size_bytes: int) -> None:
    _sparse(part, size_bytes)
    label = ["-L", "ephemeral0", "-E", "lazy_itable_init=1,lazy_journal_init=1"]
    tool.run(["mke2fs", "-q", "-F", "-t", "ext4", *label, part.name], directory=directory)


def _swap(directory: Path, part: Path, size_bytes: int) -> None:
    _sparse(part, size_bytes)
    tool.run(["mkswap", "-q", "-L", "swap1", part.name], directory=directory)


def _sparse(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_bytes)
