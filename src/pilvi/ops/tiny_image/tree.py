"""Lays out the guest's two file trees: the initramfs and the root file system."""

import gzip
import lzma
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pilvi.ops.tiny_image.shell import EPOCH, TinyImageFault, run

FILES = Path(__file__).parent / "files"
MODULES = (
    "virtio_pci virtio_blk virtio_net virtio_scsi virtio_rng virtio_console virtio_balloon virtio_mmio sd_mod sr_mod "
    "isofs vfat nls_cp437 nls_ascii nls_iso8859_1 ext4 button evdev nvme 8021q ata_piix ahci e1000 e1000e"
)
ROOT_DIRS = (
    "bin etc/dropbear proc sys dev/pts run tmp root/.ssh home/cirros/.ssh var/log var/lib/cloud mnt lib/modules "
    "usr/bin usr/sbin usr/lib newroot media"
)
INITRAMFS_APPLETS = (
    "sh mount umount modprobe switch_root findfs sleep cat echo dd printf blockdev mknod ls grep find sort xargs expr "
    "od readlink basename dirname uname poweroff reboot"
)
# dropbear's programs and the tools that grow the root file system or prepare a volume.
HOST_PROGRAMS = ("dropbear", "dropbearkey", "dbclient", "resize2fs", "mke2fs", "blkid", "lsblk")


@dataclass(frozen=True, slots=True)
class Kernel:
    release: str
    image: Path
    modules: Path  # a directory that holds lib/modules/<release>


def find_kernel(unpacked: Path) -> Kernel:
    images = sorted((unpacked / "boot").glob("vmlinuz-*"))
    if not images:
        raise TinyImageFault(f"No kernel in {unpacked}/boot.")
    release = images[0].name.removeprefix("vmlinuz-")
    for prefix in ("", "usr"):
        if (unpacked / prefix / "lib/modules" / release).is_dir():
            base = unpacked / prefix
            run(["depmod", "-b", base, release])
            return Kernel(release, images[0], base)
    raise TinyImageFault(f"No modules of {release} in {unpacked}.")


def lay_out_initramfs(tree: Path, kernel: Kernel, busybox: Path) -> None:
    _directories(tree, ["bin", "sbin", "proc", "sys", "dev", "newroot", "etc"])
    shutil.copy(busybox, tree / "bin/busybox")
    for applet in INITRAMFS_APPLETS.split():
        (tree / "bin" / applet).symlink_to("busybox")
    _copy_modules(kernel, tree)
    _overlay(FILES / "initramfs", tree)
    _freeze_times(tree)


def lay_out_root(tree: Path, kernel: Kernel, busybox: Path) -> None:
    _directories(tree, ROOT_DIRS.split())
    (tree / "lib64").symlink_to("lib")
    (tree / "sbin").symlink_to("bin")
    shutil.copy(busybox, tree / "bin/busybox")
    for applet in run([busybox, "--list"]).split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    _copy_programs(tree)
    _copy_modules(kernel, tree)
    _overlay(FILES / "root", tree)
    for path, mode in (("etc/shadow", 0o600), ("root", 0o700), ("root/.ssh", 0o700), ("home/cirros/.ssh", 0o700)):
        (tree / path).chmod(mode)
    (tree / "tmp").chmod(0o1777)
    _freeze_times(tree)


def _directories(tree: Path, names: Iterable[str]) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in names:
        (tree / name).mkdir(parents=True, exist_ok=True)
    for path in [tree, *tree.rglob("*")]:
        path.chmod(0o755)


def _overlay(source: Path, tree: Path) -> None:
    for path in sorted(source.rglob("*")):
        target = tree / path.relative_to(source)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            target.chmod(0o755)
            continue
        target.write_bytes(path.read_bytes())
        target.chmod(0o755 if path.read_bytes().startswith(b"#!") else 0o644)


def _copy_programs(tree: Path) -> None:
    libraries: set[str] = set()
    for name in HOST_PROGRAMS:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if found is None:
            raise TinyImageFault(f"{name} is not installed. Install the packages of APT_PACKAGES.")
        target = tree / "usr" / ("bin" if name in ("dropbearkey", "dbclient", "lsblk") else "sbin") / name
        shutil.copy(found, target)
        target.chmod(0o755)
        libraries |= set(_libraries(found))
    for library in sorted(libraries):
        target = tree / "lib" / Path(library).name
        shutil.copy(library, target)
        target.chmod(0o755)
    (tree / "usr/sbin/mkfs.ext4").symlink_to("mke2fs")
    (tree / "usr/bin/ssh").symlink_to("dbclient")
    shutil.copy("/etc/mke2fs.conf", tree / "etc/mke2fs.conf")


def _libraries(program: str) -> list[str]:
    """Paths named by ldd: `libz.so.1 => /lib/…/libz.so.1 (0x…)` and the loader's own line `/lib64/ld-… (0x…)`."""
    words = [line.split() for line in run(["ldd", program]).splitlines()]
    return [next(word for word in line if word.startswith("/")) for line in words if any(w[0] == "/" for w in line)]


def _copy_modules(kernel: Kernel, tree: Path) -> None:
    source = kernel.modules / "lib/modules" / kernel.release
    target = tree / "lib/modules" / kernel.release
    target.mkdir(parents=True)
    for name in _with_dependencies(source):
        plain = target / name.removesuffix(".xz").removesuffix(".zst").removesuffix(".gz")
        plain.parent.mkdir(parents=True, exist_ok=True)
        plain.write_bytes(_uncompressed(source / name))
    for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (source / index).exists():
            shutil.copy(source / index, target / index)
    run(["depmod", "-b", tree, kernel.release])
    for path in target.glob("modules.*"):
        if path.name not in ("modules.dep", "modules.alias", "modules.symbols"):
            path.unlink()


def _with_dependencies(source: Path) -> list[str]:
    """The module files to ship, by modules.dep; a name that is not there is built in or absent."""
    needs: dict[str, list[str]] = {}
    for line in (source / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).name.split(".ko")[0].replace("-", "_")] = [path, *rest.split()]
    return sorted({path for name in MODULES.split() for path in needs.get(name, [])})


def _uncompressed(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        plain = path.with_suffix("")
        run(["zstd", "-q", "-d", "-f", path, "-o", plain])
        return plain.read_bytes()
    return path.read_bytes()


def _freeze_times(tree: Path) -> None:
    run(["find", tree, "-exec", "touch", "-h", "-d", f"@{EPOCH}", "{}", "+"])
