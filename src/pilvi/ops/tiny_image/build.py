"""The steps of a build in order, and the rule when an existing image may be kept."""

import hashlib
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

from pilvi.ops.tiny_image import disk, packages, tree
from pilvi.ops.tiny_image.shell import TinyImageFault, environment, run

__all__ = ["TinyImageFault", "build"]

Progress = Callable[[str], None]
TOOLS = (
    "apt-get apt-cache dpkg-deb dpkg-query depmod cpio gzip mke2fs debugfs mkfs.vfat mcopy mmd syslinux sfdisk "
    "qemu-img zstd ldd dropbear dropbearkey"
)


def build(out_dir: Path, work_dir: Path, progress: Progress = lambda step: None) -> Path:
    """Leaves tiny.qcow2 in out_dir, made new only if what goes into it has changed."""
    if platform.machine() != "x86_64":
        raise TinyImageFault(f"The tiny image is for x86_64; this machine is {platform.machine()}. Use a cloud image.")
    out_dir, work_dir = out_dir.absolute(), work_dir.absolute()  # the tools run in other directories
    image, note = out_dir / "tiny.qcow2", out_dir / "tiny.inputs"
    if image.exists() and note.exists() and note.read_text() == inputs():
        progress("the tiny image is up to date")
        return image
    _check_tools()
    for directory in (out_dir, work_dir):
        directory.mkdir(parents=True, exist_ok=True)
    note.unlink(missing_ok=True)
    _make(image, work_dir, progress)
    note.write_text(inputs())
    return image


def _check_tools() -> None:
    missing = [tool for tool in TOOLS.split() if shutil.which(tool, path=environment()["PATH"]) is None]
    if missing:
        raise TinyImageFault(f"{', '.join(missing)}: not installed. Install the packages of APT_PACKAGES.")


def _make(image: Path, work_dir: Path, progress: Progress) -> None:
    progress("fetching the guest's kernel and busybox")
    kernel = tree.find_kernel(packages.unpack_kernel(work_dir))
    busybox = packages.unpack_busybox(work_dir)
    progress(f"laying out the guest's files (kernel {kernel.release})")
    tree.lay_out_initramfs(work_dir / "initramfs", kernel, busybox)
    tree.lay_out_root(work_dir / "root", kernel, busybox)
    progress("packing the disk")
    disk.pack_initramfs(work_dir / "initramfs", work_dir / "tiny-initrd")
    disk.make_root(work_dir / "root", work_dir / "root.img")
    disk.make_boot(work_dir / "boot.img", work_dir, kernel.image, work_dir / "tiny-initrd")
    disk.make_disk(image, work_dir, work_dir / "boot.img", work_dir / "root.img")
    # The probe of the hypervisor boots the kernel and the initramfs without a disk.
    for source, name in ((kernel.image, "tiny-vmlinuz"), (work_dir / "tiny-initrd", "tiny-initrd")):
        shutil.copy(source, image.parent / (name + ".part"))
        (image.parent / (name + ".part")).replace(image.parent / name)
    for leftover in work_dir.iterdir():
        if leftover.name != "debs":
            run(["rm", "-rf", "--", leftover])


def inputs() -> str:
    """A digest of this recipe and of the host's packages that are copied into the guest. Needs no network."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here / "files").rglob("*")]):
        if path.is_file():
            digest.update(str(path.relative_to(here)).encode() + b"\0" + path.read_bytes())
    versions = run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "dropbear-bin", "e2fsprogs", "libc6"])
    digest.update(versions.encode())
    return digest.hexdigest()
