"""The tiny guest: a bootable test image of about 20 MB, made from the distribution's own packages in seconds.

It behaves like cirros (user cirros, password gocubsgo, metadata, keys, user data), boots under BIOS and UEFI, and is
reproducible: the same packages give the same bytes. `build` makes it; nothing else in Pilvi knows how.
"""

from pilvi.ops.tiny_image.build import TinyImageFault, build

APT_PACKAGES: tuple[str, ...] = (
    "cpio",
    "dosfstools",
    "dropbear-bin",
    "e2fsprogs",
    "fdisk",
    "kmod",
    "mtools",
    "qemu-utils",
    "syslinux",
    "syslinux-common",
    "systemd-boot-efi",
    "util-linux",
    "xz-utils",
    "zstd",
)

__all__ = ["APT_PACKAGES", "TinyImageFault", "build"]
