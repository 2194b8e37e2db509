"""Fuzzes the inspector of image formats, guided by coverage.

    python -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install -r requirements/fuzz.txt
    PYTHONPATH=src:. /tmp/fuzz/bin/python -m tests.fuzz.inspector FOLDER -max_total_time=3600

FOLDER takes the inputs that reached something new; the seeds of every format are written there first. An input is not
the file itself but a recipe for it (`expand`), so that files of megabytes are mutated as a few hundred bytes. What
`check` asserts holds for every file in the world; an input for which it does not goes, as it is, to
tests/unit/image/inspector/kept/, where a test runs it from then on.
"""

import importlib
import struct
import sys
from pathlib import Path
from typing import Final

from pilvi.image.inspector import Finding, Inspector, refusal
from pilvi.image.inspector.inspector import HEAD_BYTES, TAIL_BYTES, WINDOW_BYTES
from tests.unit.image import samples

LARGEST_FILE: Final = 4 * 1024 * 1024
STEPS: Final = (1 << 30, 65536, 1000, 100_003)
"""Sizes of the pieces in which a file is fed; the input's first byte chooses one."""
DISK_FORMATS: Final = ("raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso", "ami", "ploop")
SEGMENT: Final = struct.Struct("<IH")


def expand(recipe: bytes) -> tuple[int, bytes]:
    """The size of the pieces, and the file: zeros, and in them segments of (offset, length, bytes)."""
    if len(recipe) < 5:
        return STEPS[0], recipe
    step = STEPS[recipe[0] % len(STEPS)]
    content = bytearray(struct.unpack_from("<I", recipe, 1)[0] % (LARGEST_FILE + 1))
    at = 5
    while at + SEGMENT.size <= len(recipe):
        offset, length = SEGMENT.unpack_from(recipe, at)
        piece = recipe[at + SEGMENT.size : at + SEGMENT.size + length]
        room = max(0, len(content) - offset)
        content[offset : offset + min(len(piece), room)] = piece[:room]
        at += SEGMENT.size + length
    return step, bytes(content)


def recipe_of(content: bytes, step: int = 0) -> bytes:
    """The recipe of a file; runs of zeros are left out."""
    recipe = bytearray(struct.pack("<BI", step, len(content)))
    at, block = 0, 64
    while at < len(content):
        end = at
        while end < len(content) and end - at < 0xFFC0 and any(content[end : end + block]):
            end += block
        if end > at:
            piece = content[at:end]
            recipe += SEGMENT.pack(at, len(piece)) + piece
        at = max(end, at + block)
    return bytes(recipe)


def seeds() -> dict[str, bytes]:
    """A sound file and typical bad ones of each format."""
    files = {
        "qcow2": samples.qcow2(), "qcow2_old": samples.qcow2(version=2), "qcow2_backing": samples.qcow2(backing=b"/x"),
        "qcow2_data_file": samples.qcow2(features=4), "qcow2_extension": samples.qcow2(extension=(0x44415441, b"file")),
        "vmdk": samples.vmdk(), "vmdk_flat": samples.vmdk(extents='RW 2048 FLAT "/etc/passwd" 0'),
        "vmdk_footer": samples.vmdk(kind="streamOptimized", footer=True), "vmdk_text": b"# Disk DescriptorFile\n",
        "vhd": samples.vhd(), "vhd_fixed": samples.vhd(kind=2, at_the_end_only=True), "vhd_child": samples.vhd(kind=4),
        "vhdx": samples.vhdx(), "vhdx_child": samples.vhdx(parent=True), "vhdx_near": samples.vhdx(metadata_at=327680),
        "vdi": samples.vdi(), "vdi_child": samples.vdi(kind=4), "iso": samples.iso(), "disk": samples.disk(),
        "luks": b"LUKS\xba\xbe\x00\x01".ljust(600, b"\0"), "qed": b"QED\0".ljust(600, b"\0"), "raw": b"text" * 400,
    }  # fmt: skip
    return {name: recipe_of(content, number % len(STEPS)) for number, (name, content) in enumerate(files.items())}


def inspect(content: bytes, step: int) -> Finding:
    inspector = Inspector()
    for at in range(0, len(content), step):
        inspector.feed(content[at : at + step])
    assert inspector.kept_bytes <= HEAD_BYTES + TAIL_BYTES + WINDOW_BYTES, "It keeps more than it may."
    return inspector.finish()


def check(recipe: bytes) -> None:
    """What holds for every file."""
    step, content = expand(recipe)
    finding = inspect(content, step)
    assert finding == inspect(content, len(content) or 1), "The finding depends on how the bytes came."
    assert 0 <= finding.virtual_size < 1 << 63, "A size that no database takes."
    accepted = [name for name in DISK_FORMATS if not refusal(finding, name, "bare")]
    if finding.problem:
        assert accepted == [], "A file with a problem is accepted."
    if accepted:
        assert not names_other_files(content, accepted), "A file that leads to another file is accepted."
    for name in DISK_FORMATS:
        assert len(refusal(finding, name, "bare")) < 1000


def names_other_files(content: bytes, accepted: list[str]) -> bool:
    """A second opinion, as simple as it can be: the fields by which a tool would open something else."""
    if "qcow2" in accepted:
        flags = int.from_bytes(content[72:80]) if content[7] == 3 else 0
        return any(content[8:16]) or bool(flags & 4)
    if "vmdk" in accepted:
        start = int.from_bytes(content[28:36], "little") * 512
        text = content[start : start + 128 * 1024].split(b"\0", 1)[0].lower()
        return b"/" in b"".join(line for line in text.splitlines() if line.startswith(b"rw"))
    return content.startswith((b"QFI\xfb", b"KDMV", b"# Disk DescriptorFile", b"vhdxfile")) and "raw" in accepted


def main() -> None:
    import atheris

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, recipe in seeds().items():
        (folder / f"seed_{name}").write_bytes(recipe)
    for module in [name for name in sys.modules if name.startswith("pilvi.image.inspector")]:
        del sys.modules[module]
    with atheris.instrument_imports(include=["pilvi.image.inspector"]):
        inspector = importlib.import_module("pilvi.image.inspector")
    globals().update(Inspector=inspector.Inspector, refusal=inspector.refusal)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
