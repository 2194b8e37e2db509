"""VMDK: a binary header with a text beside it that may name other files."""

import re

from pilvi.image.inspector.model import Finding, View

MAGIC = b"KDMV"
OLD_MAGIC = b"COWD"
TEXT_START = b"# Disk DescriptorFile"
SECTOR = 512
LARGEST_DESCRIPTOR = 128 * 1024
AT_THE_END = 0xFFFFFFFFFFFFFFFF
SELF_CONTAINED = ("monolithicsparse", "streamoptimized")
_SETTING = re.compile(r'^\s*([A-Za-z]+)\s*=\s*"?([^"\n]*)"?\s*$')
_EXTENT = re.compile(r'^(RW|RDONLY|NOACCESS)\s+\d+\s+([A-Z]+)\s+"([^"]*)"', re.ASCII)


def recognise(view: View) -> Finding | None:
    start = view.head[: len(TEXT_START)]
    if start == TEXT_START:
        return Finding("vmdk", 0, "it is only a description that names other files; send a monolithicSparse or "
                                  "streamOptimized VMDK")  # fmt: skip
    if view.head.startswith(OLD_MAGIC):
        return Finding("vmdk", 0, "it is an old sparse extent; send a monolithicSparse or streamOptimized VMDK")
    if not view.head.startswith(MAGIC):
        return None
    return Finding("vmdk", view.number(12, 8, "little") * SECTOR, _problem(view))


def _problem(view: View) -> str:
    if view.number(4, 4, "little") not in (1, 2, 3) or len(view.head) < SECTOR:
        return "its VMDK header is broken"
    if view.number(12, 8, "little") >= 1 << 54:
        return "its virtual size is impossible"
    at, length = view.number(28, 8, "little") * SECTOR, view.number(36, 8, "little") * SECTOR
    if not at or not 0 < length <= LARGEST_DESCRIPTOR:
        return "it has no description of its own inside"
    descriptor = view.at(at, length)
    if len(descriptor) < length:
        return "its description is not at the beginning of the file"
    return _footer_problem(view) or _descriptor_problem(descriptor)


def _footer_problem(view: View) -> str:
    """A streamOptimized file may repeat its header at the end, which then is the one that counts."""
    if view.number(56, 8, "little") != AT_THE_END:
        return ""
    footer = view.tail[-2 * SECTOR : -SECTOR] if len(view.tail) >= 3 * SECTOR else b""
    if not footer.startswith(MAGIC):
        return "its VMDK footer is missing"
    if footer[4:8] != view.head[4:8] or footer[12:56] != view.head[12:56]:
        return "its VMDK header and footer contradict each other"
    return ""


def _descriptor_problem(descriptor: bytes) -> str:
    text = descriptor.split(b"\0", 1)[0]
    if not text.startswith(TEXT_START):
        return "its description is broken"
    lines = text.decode("utf-8", "replace").splitlines()
    settings = {m.group(1).lower(): m.group(2).strip() for m in map(_SETTING.match, lines) if m}
    kind = settings.get("createtype", "")
    if kind.lower() not in SELF_CONTAINED:
        return f"its VMDK type is {kind[:40] or 'not said'}; only monolithicSparse and streamOptimized are accepted"
    if settings.get("parentcid", "ffffffff").lower() != "ffffffff" or "parentfilenamehint" in settings:
        return "it refers to a parent file"
    return _extent_problem([line.strip() for line in lines])


def _extent_problem(lines: list[str]) -> str:
    extents = [line for line in lines if line.startswith(("RW", "RDONLY", "NOACCESS"))]
    if len(extents) != 1:
        return f"it has {len(extents)} extents; it must have one"
    match = _EXTENT.match(extents[0])
    if match is None or match.group(2) != "SPARSE" or "/" in match.group(3) or "\\" in match.group(3):
        return "its extent is another file"
    return ""
