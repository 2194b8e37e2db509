"""Packs the trees into a disk: an MBR with a FAT partition to boot from and an ext4 root, as a compressed qcow2.

No loop device and no mount is used. One /vmlinuz and one /initrd serve syslinux (BIOS) and systemd-boot (UEFI).
"""

import os
from pathlib import Path

from pilvi.ops.tiny_image.shell import EPOCH, TinyImageFault, run

SECTOR_BYTES = 512
MIB = 1024 * 1024
BOOT_MIB = 24
ROOT_MIB = 24
BOOT_START = 2048
ROOT_START = BOOT_START + BOOT_MIB * MIB // SECTOR_BYTES
ROOT_UUID = "11111111-2222-3333-4444-555555555555"
HASH_SEED = "11111111-2222-3333-4444-555555555556"
COMMAND_LINE = (
    "root=LABEL=tinyroot console=tty0 console=ttyS0,115200 quiet loglevel=4 mitigations=off nokaslr "
    "no_timer_check cryptomgr.notests random.trust_cpu=on panic=5"
)
SYSLINUX_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
SYSTEMD_BOOT = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")


def pack_initramfs(tree: Path, target: Path) -> None:
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))
    listing = "\n".join([".", *names]).encode() + b"\n"
    plain = target.with_suffix(".cpio")
    plain.touch()
    run(["cpio", "--reproducible", "--quiet", "-o", "-H", "newc", "-R", "0:0", "-F", plain], cwd=tree, stdin=listing)
    run(["gzip", "-9", "-n", "-f", "-k", plain])
    plain.with_name(plain.name + ".gz").replace(target)
    plain.unlink()
    os.utime(target, (EPOCH, EPOCH))


def make_root(tree: Path, target: Path) -> None:
    _blank(target, ROOT_MIB)
    without = "^metadata_csum_seed,^orphan_file" if _knows_orphan_file() else "^metadata_csum_seed"
    identity = ["-L", "tinyroot", "-U", ROOT_UUID]
    # The journal costs 2 MiB and lets a guest that was killed a second after its first boot come up again.
    shape = ["-t", "ext4", "-b", "1024", "-N", "2048", "-J", "size=2", "-O", without]
    extra = ["-E", f"hash_seed={HASH_SEED},root_owner=0:0,lazy_itable_init=1,resize=10485760"]
    run(["mke2fs", "-q", "-F", *identity, *shape, *extra, "-d", tree, target])
    # mke2fs copies the change time of each file, the one field that nobody can set in the source tree.
    names = ["/", "/lost+found", *(f"/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")))]
    commands = "".join(f'sif "{name}" ctime {EPOCH}\n' for name in names)
    run(["debugfs", "-w", "-f", "-", target], stdin=commands.encode())


def _knows_orphan_file() -> bool:
    """From 1.47 on mke2fs has (and makes by default) a feature that older kernels refuse to mount."""
    return "orphan_file" in Path("/etc/mke2fs.conf").read_text()


def make_boot(target: Path, work_dir: Path, kernel: Path, initramfs: Path) -> None:
    _blank(target, BOOT_MIB)
    run(["mkfs.vfat", "-F", "16", "-n", "TINYBOOT", "-i", "12345678", "--invariant", target])
    header = "DEFAULT tiny\nPROMPT 0\nTIMEOUT 1\nLABEL tiny\n"
    syslinux = f"{header} KERNEL /vmlinuz\n INITRD /initrd\n APPEND {COMMAND_LINE}\n"
    entry = f"title tiny\nlinux /vmlinuz\ninitrd /initrd\noptions {COMMAND_LINE}\n"
    _put(target, work_dir, "/syslinux.cfg", syslinux.encode())
    run(["mcopy", "-m", "-i", target, kernel, "::/vmlinuz"])
    run(["mcopy", "-m", "-i", target, initramfs, "::/initrd"])
    if SYSTEMD_BOOT.exists():
        run(["mmd", "-i", target, "::/EFI", "::/EFI/BOOT", "::/loader", "::/loader/entries"])
        run(["mcopy", "-i", target, SYSTEMD_BOOT, "::/EFI/BOOT/BOOTX64.EFI"])
        _put(target, work_dir, "/loader/loader.conf", b"timeout 0\ndefault tiny.conf\n")
        _put(target, work_dir, "/loader/entries/tiny.conf", entry.encode())
    run(["syslinux", "--install", target])


def make_disk(target: Path, work_dir: Path, boot: Path, root: Path) -> None:
    if not SYSLINUX_MBR.exists():
        raise TinyImageFault(f"{SYSLINUX_MBR} is missing. Install syslinux-common.")
    raw = work_dir / "tiny.raw"
    total = (ROOT_START + ROOT_MIB * MIB // SECTOR_BYTES) * SECTOR_BYTES
    raw.unlink(missing_ok=True)
    with raw.open("wb") as disk:
        disk.truncate(total)
    table = (
        "label: dos\nlabel-id: 0x12345678\n"
        f"{BOOT_START},{BOOT_MIB * MIB // SECTOR_BYTES},ef,*\n{ROOT_START},{ROOT_MIB * MIB // SECTOR_BYTES},83\n"
    )
    run(["sfdisk", "-q", raw], stdin=table.encode())
    with raw.open("r+b") as disk:
        disk.write(SYSLINUX_MBR.read_bytes()[:440])
        for start, part in ((BOOT_START, boot), (ROOT_START, root)):
            disk.seek(start * SECTOR_BYTES)
            disk.write(part.read_bytes())
    part = target.with_suffix(".part")
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", raw, part])
    part.replace(target)


def _blank(path: Path, size_mib: int) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size_mib * MIB)


def _put(fat: Path, work_dir: Path, name: str, content: bytes) -> None:
    source = work_dir / "fat-file"
    source.write_bytes(content)
    os.utime(source, (EPOCH, EPOCH))
    run(["mcopy", "-m", "-i", fat, source, f"::{name}"])
