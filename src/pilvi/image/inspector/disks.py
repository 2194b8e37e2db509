"""Formats that a few bytes tell."""

from pilvi.image.inspector.model import Finding, View

VDI_SIGNATURE = 0xBEDA107F
VDI_DYNAMIC, VDI_FIXED = 1, 2
ISO_AT = 32768
ISO_DESCRIPTORS = (b"CD001", b"BEA01", b"NSR02", b"NSR03")
BOOT_SIGNATURE = b"\x55\xaa"
PARTITION_TABLE_AT, PARTITION_BYTES, PARTITIONS = 446, 16, 4


def recognise_vdi(view: View) -> Finding | None:
    if view.number(64, 4, "little") != VDI_SIGNATURE:
        return None
    kind = view.number(76, 4, "little")
    problem = "" if kind in (VDI_DYNAMIC, VDI_FIXED) else "it holds only the differences to a parent file"
    return Finding("vdi", view.number(0x170, 8, "little"), problem)


def recognise_luks(view: View) -> Finding | None:
    return Finding("luks", view.size) if view.head.startswith(b"LUKS\xba\xbe") else None


def recognise_qed(view: View) -> Finding | None:
    if not view.head.startswith(b"QED\0"):
        return None
    return Finding("qed", 0, "the QED format is not supported; convert it with `qemu-img convert -O qcow2`")


def recognise_iso(view: View) -> Finding | None:
    return Finding("iso", view.size) if view.at(ISO_AT + 1, 5) in ISO_DESCRIPTORS else None


def recognise_gpt(view: View) -> Finding | None:
    """A whole disk with a partition table, of the old kind or the new one."""
    if view.at(510, 2) != BOOT_SIGNATURE:
        return None
    used = 0
    for i in range(PARTITIONS):
        entry = view.at(PARTITION_TABLE_AT + PARTITION_BYTES * i, PARTITION_BYTES)
        if entry[0] not in (0x00, 0x80):
            return None
        used += entry[4] != 0
    return Finding("gpt", view.size) if used else None
