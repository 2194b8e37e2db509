"""VHDX: tables say where the metadata is; the metadata says how large the disk is and whether it has a parent."""

from uuid import UUID

from pilvi.image.inspector.model import Finding, View

MAGIC = b"vhdxfile"
REGION_TABLES = (192 * 1024, 256 * 1024)
ENTRIES_LIMIT = 2047
METADATA_REGION = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
FILE_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
VIRTUAL_DISK_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
HAS_PARENT = 0b10


def metadata_offset(view: View) -> int:
    """Where the metadata begins, or -1 when this is no VHDX or it is broken."""
    if not view.head.startswith(MAGIC):
        return -1
    for table in REGION_TABLES:
        if view.at(table, 4) != b"regi":
            continue
        for i in range(min(view.number(table + 8, 4, "little"), ENTRIES_LIMIT)):
            entry = table + 16 + 32 * i
            if view.at(entry, 16) == METADATA_REGION:
                return view.number(entry + 16, 8, "little")
    return -1


def recognise(view: View) -> Finding | None:
    if not view.head.startswith(MAGIC):
        return None
    at = metadata_offset(view)
    if at < 0 or view.at(at, 8) != b"metadata":
        return Finding("vhdx", 0, "its metadata is missing or broken")
    items = _items(view, at)
    size, parameters = items.get(VIRTUAL_DISK_SIZE), items.get(FILE_PARAMETERS)
    if size is None or parameters is None or len(view.at(size, 8)) < 8 or len(view.at(parameters, 8)) < 8:
        return Finding("vhdx", 0, "its metadata is incomplete")
    problem = "it refers to a parent file" if view.number(parameters + 4, 4, "little") & HAS_PARENT else ""
    return Finding("vhdx", view.number(size, 8, "little"), problem)


def _items(view: View, at: int) -> dict[bytes, int]:
    """Item → where its value is in the file."""
    found = {}
    for i in range(min(view.number(at + 10, 2, "little"), ENTRIES_LIMIT)):
        entry = at + 32 + 32 * i
        found[view.at(entry, 16)] = at + view.number(entry + 16, 4, "little")
    return found
