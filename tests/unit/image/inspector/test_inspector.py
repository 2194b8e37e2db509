"""The inspector: what it recognises, what it refuses, and that nothing makes it fall over or grow."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilvi.image.inspector import Finding, Inspector, refusal
from tests.unit.image import samples


def inspect(content: bytes, step: int = 65536) -> Finding:
    inspector = Inspector()
    for at in range(0, len(content), step):
        inspector.feed(content[at : at + step])
    return inspector.finish()


SIZE = 2**20
GOOD = {
    "qcow2": samples.qcow2(),
    "qcow2 of version 2": samples.qcow2(version=2),
    "vmdk": samples.vmdk(),
    "vmdk with footer": samples.vmdk(kind="streamOptimized", footer=True),
    "vhd": samples.vhd(),
    "vhd fixed": samples.vhd(kind=2, at_the_end_only=True),
    "vhdx": samples.vhdx(),
    "vdi": samples.vdi(),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("step", [1000, 65536, 10**9])
def test_a_sound_file_is_recognised_with_its_virtual_size(name: str, step: int) -> None:
    finding = inspect(GOOD[name], step)
    format = name.split()[0]
    assert finding == Finding(format, SIZE)
    assert refusal(finding, format, "bare") == ""
    assert refusal(finding, "raw", "bare") != ""


@pytest.mark.parametrize(
    ("content", "format"),
    [(samples.iso(), "iso"), (samples.disk(), "gpt"), (b"", "raw"), (b"x" * 5000, "raw"), (b"LUKS\xba\xbe", "luks")],
)
def test_disks_without_a_header_are_as_large_as_their_file(content: bytes, format: str) -> None:
    assert inspect(content) == Finding(format, len(content))
    assert refusal(inspect(content), "raw", "bare") == ""


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (samples.qcow2(backing=b"/etc/shadow"), "qcow2"),
        (samples.qcow2(version=2, backing=b"json:{}"), "qcow2"),
        (samples.qcow2(features=0b100), "qcow2"),
        (samples.qcow2(features=0b10), "qcow2"),
        (samples.qcow2(features=1 << 40), "qcow2"),
        (samples.qcow2(extension=(0x44415441, b"/dev/sda")), "qcow2"),
        (samples.qcow2(version=1), "qcow2"),
        (samples.qcow2(version=4), "qcow2"),
        (samples.qcow2(crypt=1), "qcow2"),
        (samples.qcow2(cluster_bits=60), "qcow2"),
        (samples.qcow2(virtual_size=2**63), "qcow2"),
        (samples.qcow2()[:50], "qcow2"),
        (samples.vmdk(kind="monolithicFlat"), "vmdk"),
        (samples.vmdk(kind="twoGbMaxExtentSparse"), "vmdk"),
        (samples.vmdk(extents='RW 2048 FLAT "/dev/sda" 0'), "vmdk"),
        (samples.vmdk(extents='RW 2048 SPARSE "/etc/shadow"'), "vmdk"),
        (samples.vmdk(extents='RW 1 SPARSE "a.vmdk"\nRW 1 SPARSE "b.vmdk"'), "vmdk"),
        (samples.vmdk(extents=""), "vmdk"),
        (samples.vmdk(descriptor_at=0), "vmdk"),
        (samples.vmdk()[:28] + (2**40).to_bytes(8, "little") + samples.vmdk()[36:], "vmdk"),
        (samples.vmdk(text="nonsense"), "vmdk"),
        (samples.vmdk(text=samples.DESCRIPTOR.replace("ffffffff", "12345678")), "vmdk"),
        (samples.vmdk(footer=True)[:-1536], "vmdk"),
        (b"# Disk DescriptorFile\nRW 1 FLAT \"/etc/shadow\" 0\n", "vmdk"),
        (b"COWD" + bytes(1000), "vmdk"),
        (samples.vhd(kind=4), "vhd"),
        (samples.vhd(kind=9), "vhd"),
        (b"conectix", "vhd"),
        (samples.vhdx(parent=True), "vhdx"),
        (samples.vhdx()[: 2**20], "vhdx"),
        (b"vhdxfile" + bytes(1000), "vhdx"),
        (samples.vdi(kind=4), "vdi"),
        (b"QED\0" + bytes(1000), "qed"),
    ],
)  # fmt: skip
def test_a_file_that_names_others_or_is_broken_is_refused(content: bytes, format: str) -> None:
    finding = inspect(content)
    assert finding.format == format
    assert finding.problem
    assert refusal(finding, format, "bare")
    assert refusal(finding, "raw", "bare")


def test_a_mismatch_names_the_true_format() -> None:
    assert "qcow2" in refusal(inspect(samples.qcow2()), "raw", "bare")
    assert refusal(inspect(b"x" * 100), "qcow2", "bare")
    assert refusal(inspect(samples.qcow2()), "vmdk", "bare")
    assert refusal(inspect(samples.disk()), "iso", "bare")


def test_a_wrapped_disk_is_not_looked_into() -> None:
    assert refusal(inspect(b"x" * 100), "vmdk", "ova") == ""


def test_a_bootable_iso_is_an_iso() -> None:
    hybrid = samples.disk()[:512] + samples.iso()[512:]
    assert inspect(hybrid).format == "iso"


STARTS = st.sampled_from([b"", b"QFI\xfb", b"KDMV", b"vhdxfile", b"conectix", b"# Disk DescriptorFile", b"QED\0"])
CUTS = st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=9)))


@settings(max_examples=300, deadline=None)
@given(start=STARTS, rest=st.binary(max_size=3000), step=st.integers(1, 700))
def test_random_bytes_never_make_it_fall_over(start: bytes, rest: bytes, step: int) -> None:
    finding = inspect(start + rest, step)
    assert 0 <= finding.virtual_size < 2**74
    refusal(finding, "qcow2", "bare")


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(GOOD)), cuts=CUTS)
def test_damaged_headers_never_make_it_fall_over(name: str, cuts: list[tuple[int, bytes]]) -> None:
    content = bytearray(GOOD[name][: 600 * 1024])
    for at, piece in cuts:
        content[at : at + len(piece)] = piece
    refusal(inspect(bytes(content)), name.split()[0], "bare")


def test_it_keeps_less_than_two_mebibytes_of_a_large_file() -> None:
    inspector = Inspector()
    head = samples.vhdx()
    inspector.feed(head)
    for _ in range(64):
        inspector.feed(bytes(2**20))
    assert len(inspector._head) + len(inspector._tail) + len(inspector._window) < 2 * 2**20
    assert inspector.finish() == Finding("vhdx", SIZE)


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img")
@pytest.mark.parametrize(
    ("qemu_format", "format", "options"),
    [
        ("qcow2", "qcow2", ""),
        ("qcow2", "qcow2", "compat=0.10"),
        ("qcow2", "qcow2", "extended_l2=on,cluster_size=128k"),
        ("vmdk", "vmdk", ""),
        ("vmdk", "vmdk", "subformat=streamOptimized"),
        ("vpc", "vhd", ""),
        ("vpc", "vhd", "subformat=fixed"),
        ("vhdx", "vhdx", ""),
        ("vdi", "vdi", ""),
        ("raw", "raw", ""),
    ],
)
def test_what_qemu_makes_is_accepted(tmp_path: Path, qemu_format: str, format: str, options: str) -> None:
    path, size = tmp_path / "disk", 16 * 2**20
    argv = ["qemu-img", "create", "-q", "-f", qemu_format, *(["-o", options] if options else []), str(path), str(size)]
    subprocess.run(argv, check=True)
    if "streamOptimized" in options:  # Only a conversion writes the footer.
        source = tmp_path / "source"
        source.write_bytes(bytes(size))
        subprocess.run(["qemu-img", "convert", "-O", "vmdk", "-o", options, str(source), str(path)], check=True)
    finding = inspect(path.read_bytes())
    assert refusal(finding, format, "bare") == ""
    assert size <= finding.virtual_size <= size + 2**20


@pytest.mark.parametrize("format", ["qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso"])
def test_a_cloud_that_is_not_strict_takes_what_nobody_recognises(format: str) -> None:
    assert refusal(inspect(b"bogus" * 1000), format, "bare") != ""
    assert refusal(inspect(b"bogus" * 1000), format, "bare", is_strict=False) == ""


@pytest.mark.parametrize("content", [samples.qcow2(backing=b"/etc/shadow"), samples.qcow2(), samples.disk()])
def test_what_is_recognised_must_be_true_there_too(content: bytes) -> None:
    assert refusal(inspect(content), "vmdk", "bare", is_strict=False) != ""
    if b"/etc/shadow" in content:
        for format in ("qcow2", "raw"):
            assert refusal(inspect(content), format, "bare", is_strict=False) != ""
