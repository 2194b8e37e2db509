"""The command line against golden files: a change of a guest's hardware must be meant. PILVI_GOLDEN=1 rewrites them."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, ImageFile, Nic
from pilvi.compute.drivers.qemu import argv

GOLDEN = Path(__file__).parent / "golden"
TCG = argv.Machine("qemu-system-x86_64", "pc-q35-7.2", "tcg")
KVM = argv.Machine("qemu-system-x86_64", "pc-q35-7.2", "kvm")
SPEC = GuestSpec(
    id="11111111-2222-3333-4444-555555555555",
    name="anything, even,commas",
    generation=1,
    vcpus=1,
    memory_mib=192,
    root_gib=1,
    image=ImageFile(Path("/cache/x"), "qcow2", 1024),
    nics=(Nic("p1", "fa:16:3e:00:00:01", 1450),),
)
CASES = {
    "plain": (SPEC, TCG, [10]),
    "everything": (
        replace(
            SPEC,
            vcpus=4,
            memory_mib=2048,
            ephemeral_gib=5,
            swap_mib=512,
            config_drive={},
            nics=(Nic("p1", "fa:16:3e:00:00:01", 1450), Nic("p2", "fa:16:3e:00:00:02")),
            image=ImageFile(Path("/cache/x"), "raw", 1024),
        ),
        KVM,
        [10, 11],
    ),
    "other_devices": (
        replace(SPEC, image_properties={"hw_disk_bus": "scsi", "hw_vif_model": "e1000e", "hw_video_model": "none"}),
        TCG,
        [7],
    ),
    "cdrom": (replace(SPEC, nics=(), image=ImageFile(Path("/cache/x"), "iso", 1024)), TCG, []),
}


@pytest.mark.parametrize("name", CASES)
def test_the_command_line_is_as_written_down(name: str) -> None:
    spec, machine, taps = CASES[name]
    text = "\n".join(argv.build(spec, machine, taps)) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("PILVI_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_no_path_leaves_the_guest_directory_and_no_format_is_guessed() -> None:
    words = argv.build(*CASES["everything"])
    blockdevs = [json.loads(words[index + 1]) for index, word in enumerate(words) if word == "-blockdev"]
    assert len(blockdevs) == 4
    for node in blockdevs:
        while node is not None:
            assert node["driver"] in ("raw", "qcow2")
            assert "/" not in node["file"]["filename"]
            node = node.get("backing")


def test_an_image_cannot_pull_in_another_file_by_its_header() -> None:
    words = argv.build(SPEC, TCG, [10])
    root = json.loads(words[words.index("-blockdev") + 1])
    assert root["backing"]["backing"] is None
    assert root["backing"]["read-only"] is True


def test_the_name_of_a_server_never_reaches_the_command_line() -> None:
    assert not any("commas" in word for word in argv.build(SPEC, TCG, [10]))


def test_devices_keep_their_places_whatever_else_there_is() -> None:
    few = argv.build(replace(SPEC, nics=()), TCG, [])
    many = argv.build(*CASES["everything"])
    places = [word for word in few if "addr=" in word]
    assert places == [word for word in many if "addr=" in word]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"hw_disk_bus": "virtio,file=/etc/shadow"}, "hw_disk_bus"),
        ({"hw_vif_model": "rtl8139"}, "e1000"),
        ({"hw_video_model": "qxl"}, "vga"),
    ],
)
def test_unknown_devices_are_refused_with_those_there_are(properties: dict[str, str], said: str) -> None:
    with pytest.raises(DriverFault, match=said) as fault:
        argv.build(replace(SPEC, image_properties=properties), TCG, [10])
    assert not fault.value.retry


def test_formats_and_counts_that_cannot_be_carried_are_refused() -> None:
    with pytest.raises(DriverFault, match="vmdk"):
        argv.build(replace(SPEC, image=ImageFile(Path("/x"), "vmdk", 1)), TCG, [10])
    nics = tuple(Nic(f"p{n}", "fa:16:3e:00:00:01") for n in range(9))
    with pytest.raises(DriverFault, match="9 network interfaces"):
        argv.build(replace(SPEC, nics=nics), TCG, list(range(9)))
