"""qcow2: the format that may name other files of the host."""

from pilvi.image.inspector.model import Finding, View

MAGIC = b"QFI\xfb"
EXTERNAL_DATA = 1 << 2
KNOWN_FEATURES = 0b11111
"""Dirty, corrupt, external data file, compression type, extended L2 entries."""
CORRUPT = 1 << 1
DATA_FILE_EXTENSION = 0x44415441
EXTENSIONS_LIMIT = 64


def recognise(view: View) -> Finding | None:
    if not view.head.startswith(MAGIC):
        return None
    virtual_size = view.number(24, 8, "big")
    return Finding("qcow2", virtual_size, _problem(view, virtual_size))


def _problem(view: View, virtual_size: int) -> str:
    version = view.number(4, 4, "big")
    if version not in (2, 3):
        return f"its qcow2 version is {version}; versions 2 and 3 are known"
    if len(view.head) < (104 if version == 3 else 72):
        return "its qcow2 header is cut off"
    if view.number(8, 8, "big"):
        return "it refers to a backing file; flatten it with `qemu-img convert -O qcow2`"
    if view.number(32, 4, "big"):
        return "it is encrypted"
    cluster_bits = view.number(20, 4, "big")
    if not 9 <= cluster_bits <= 21:
        return "its qcow2 cluster size is impossible"
    if virtual_size >= 1 << 63:
        return "its virtual size is impossible"
    return _newer_problem(view, 1 << cluster_bits) if version == 3 else ""


def _newer_problem(view: View, cluster_bytes: int) -> str:
    features = view.number(72, 8, "big")
    if features & EXTERNAL_DATA:
        return "its data is in another file; convert it with `qemu-img convert -O qcow2`"
    if features & CORRUPT:
        return "it is marked as corrupt; repair it with `qemu-img check -r all`"
    if features & ~KNOWN_FEATURES:
        return "it uses qcow2 features that are not known here"
    header_bytes = view.number(100, 4, "big")
    if not 104 <= header_bytes <= cluster_bytes:
        return "its qcow2 header length is impossible"
    if DATA_FILE_EXTENSION in _extensions(view, header_bytes, cluster_bytes):
        return "it names another file for its data; convert it with `qemu-img convert -O qcow2`"
    return ""


def _extensions(view: View, at: int, end: int) -> list[int]:
    found = []
    for _ in range(EXTENSIONS_LIMIT):
        if at + 8 > min(end, len(view.head)):
            break
        kind, length = view.number(at, 4, "big"), view.number(at + 4, 4, "big")
        if kind == 0:
            break
        found.append(kind)
        at += 8 + (length + 7) // 8 * 8
    return found
