"""VHD: a footer at the end, and where the disk is dynamic a copy of it at the beginning."""

from pilvi.image.inspector.model import Finding, View

COOKIE = b"conectix"
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
FOOTER_BYTES = 512


def recognise(view: View) -> Finding | None:
    if view.head.startswith(COOKIE):
        footer = view.head[:FOOTER_BYTES]
    elif view.size >= FOOTER_BYTES and view.tail[-FOOTER_BYTES:].startswith(COOKIE):
        footer = view.tail[-FOOTER_BYTES:]
    else:
        return None
    kind = int.from_bytes(footer[60:64])
    problem = ""
    if len(footer) < FOOTER_BYTES:
        problem = "its VHD header is cut off"
    elif kind == DIFFERENCING:
        problem = "it holds only the differences to a parent file"
    elif kind not in (FIXED, DYNAMIC):
        problem = f"its VHD type {kind} is not known"
    return Finding("vhd", int.from_bytes(footer[48:56]), problem)
