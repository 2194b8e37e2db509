"""The qemu driver with real processes under TCG: the common suite on boot sectors, then what needs a whole guest."""

import os
import queue
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from pilvi.compute.drivers.protocol import DriverFault
from pilvi.compute.drivers.qemu import argv, boot_probe, process, record
from pilvi.compute.drivers.qemu.driver import Qemu
from pilvi.compute.drivers.qemu.qmp import Qmp, connect_unix
from tests.contract.drivers.hypervisor_suite import Host, HypervisorSuite, no_tap
from tests.integration import qemu_rig as rig

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(os.geteuid() != 0, reason="guests run as users of their own, which takes root"),
]


def make_host(directory: Path) -> Host:
    return Host(
        start=lambda: rig.make_driver(directory),
        stop=lambda driver: driver.close(),  # type: ignore[attr-defined]
        crash=lambda driver, guest_id: rig.kill_guest(directory, guest_id),
        make_spec=lambda guest_id: rig.sector_spec(directory, guest_id),
    )


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    with rig.leaving_nothing(tmp_path):
        yield tmp_path


class TestQemu(HypervisorSuite):
    @pytest.fixture
    def host(self, directory: Path) -> Iterator[Host]:
        host = make_host(directory)
        yield host
        host.driver.close()  # type: ignore[attr-defined]


@pytest.fixture
def driver(directory: Path) -> Iterator[Qemu]:
    driver = rig.make_driver(directory)
    yield driver
    driver.close()


def pid_of(directory: Path, guest_id: str) -> int:
    known = record.read(directory / "guests" / guest_id)
    assert known is not None
    return known.pid


def test_a_second_agent_on_the_same_directory_is_refused(directory: Path, driver: Qemu) -> None:
    with pytest.raises(DriverFault, match="Another agent"):
        rig.make_driver(directory)


def test_each_guest_runs_as_a_user_of_its_own_who_sees_only_its_directory(directory: Path, driver: Qemu) -> None:
    specs = [rig.sector_spec(directory, str(uuid4())) for _ in range(2)]
    for spec in specs:
        driver.define(spec)
        driver.power_on(spec.id, no_tap)
    uids = {Path(f"/proc/{pid_of(directory, spec.id)}").stat().st_uid for spec in specs}
    assert len(uids) == 2
    assert 0 not in uids
    for spec in specs:
        status = Path(f"/proc/{pid_of(directory, spec.id)}/status").read_text()
        for line in ("CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            assert line in status
        guest_dir = directory / "guests" / spec.id
        assert stat.S_IMODE(guest_dir.stat().st_mode) == 0o710
        assert (guest_dir / argv.IMAGE).stat().st_uid == 0
        driver.destroy(spec.id)


def test_a_process_that_was_not_recorded_is_replaced(directory: Path, driver: Qemu) -> None:
    spec = rig.sector_spec(directory, str(uuid4()))
    driver.define(spec)
    before = record.read(directory / "guests" / spec.id)
    assert before is not None
    driver.power_on(spec.id, no_tap)
    stray = pid_of(directory, spec.id)
    record.write(directory / "guests" / spec.id, before)  # as if the agent had died before it wrote the pid
    driver.power_on(spec.id, no_tap)
    assert pid_of(directory, spec.id) != stray
    assert len(process.find((directory / "guests" / spec.id).resolve(), f"guest={spec.id},debug-threads=on")) == 1


def test_a_start_that_was_interrupted_before_the_first_instruction_goes_on(directory: Path, driver: Qemu) -> None:
    spec = rig.sector_spec(directory, str(uuid4()))
    driver.define(spec)
    original = Qmp.execute

    class Died(BaseException):
        pass

    def die_at_cont(self: Qmp, command: str, **arguments: object) -> object:
        if command == "cont":
            raise Died
        return original(self, command, **arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Qmp, "execute", die_at_cont)
        with pytest.raises(Died):
            driver.power_on(spec.id, no_tap)
    assert driver.guests()[spec.id].power == "off"
    pid = pid_of(directory, spec.id)
    driver.power_on(spec.id, no_tap)
    assert driver.guests()[spec.id].power == "on"
    assert pid_of(directory, spec.id) == pid


def test_a_start_that_fails_says_what_qemu_said(directory: Path, driver: Qemu) -> None:
    spec = rig.sector_spec(directory, str(uuid4()))
    driver.define(spec)
    disk = directory / "guests" / spec.id / argv.DISK
    disk.write_bytes(b"not a qcow2 file")
    with pytest.raises(DriverFault) as fault:
        driver.power_on(spec.id, no_tap)
    assert "qcow2" in fault.value.detail
    assert driver.guests()[spec.id].power == "off"


def test_a_definition_that_was_interrupted_is_made_again_or_removed(directory: Path, driver: Qemu) -> None:
    half, gone = rig.sector_spec(directory, str(uuid4())), str(uuid4())
    for guest_id in (half.id, gone):
        (directory / "guests" / guest_id).mkdir()
        (directory / "guests" / guest_id / "disk.qcow2.part").write_bytes(b"half")
    assert driver.guests()[half.id].generation == 0
    driver.define(half)
    driver.power_on(half.id, no_tap)
    driver.destroy(gone)
    assert set(driver.guests()) == {half.id}
    driver.destroy(half.id)
    assert list((directory / "guests").glob("*-*")) == []


def test_the_console_ring_keeps_what_was_written_while_no_agent_was_there(directory: Path) -> None:
    spec = rig.sector_spec(directory, str(uuid4()))
    first = rig.make_driver(directory)
    first.define(spec)
    first.power_on(spec.id, no_tap)
    first.close()
    second = rig.make_driver(directory)
    assert b"PILVI" in rig.wait_for_text(second, spec.id, b"PILVI")
    second.power_off(spec.id, timeout_s=0)
    assert b"PILVI" in second.console_output(spec.id, max_bytes=100)
    second.close()


def test_a_guest_that_dies_is_told_of_at_once(directory: Path) -> None:
    spec = rig.sector_spec(directory, str(uuid4()))
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    driver = rig.make_driver(directory, told.put)
    driver.define(spec)
    for _ in range(2):
        driver.power_on(spec.id, no_tap)
        while not told.empty():
            told.get()
        rig.kill_guest(directory, spec.id)
        assert told.get(timeout=10) == spec.id
        assert driver.guests()[spec.id].power == "crashed"
    driver.close()


def test_a_tiny_guest_lives_its_whole_life(directory: Path, driver: Qemu) -> None:
    metadata = b'{"uuid": "%s", "hostname": "drive.novalocal", "public_keys": {}}'
    guest_id = str(uuid4())
    drive = {
        "openstack/latest/meta_data.json": metadata % guest_id.encode(),
        "openstack/latest/user_data": b"#!/bin/sh\necho user-data was here; blkid\n",
    }
    spec = replace(rig.tiny_spec(directory, guest_id), config_drive=drive, ephemeral_gib=1, swap_mib=64)
    image_before = spec.image.path.read_bytes()
    driver.define(spec)
    driver.power_on(guest_id, no_tap)

    text = rig.wait_for_text(driver, guest_id, b"drive login:")
    for word in (b"tiny: ready", b"user-data was here", b"datasource=configdrive", b'LABEL="ephemeral0"', b"config-2"):
        assert word in text
    vnc = driver.vnc_socket(guest_id)
    assert vnc is not None
    with connect_unix(vnc, timeout_s=10) as screen:
        assert screen.recv(12) == b"RFB 003.008\n"

    pid = pid_of(directory, guest_id)
    driver.reboot(guest_id, "soft", generation=1, open_tap=no_tap, timeout_s=rig.PATIENCE_S)
    assert pid_of(directory, guest_id) == pid, "the guest listened, so its process was kept"
    rig.wait_until(lambda: driver.console_output(guest_id, max_bytes=262144).count(b"tiny: ready") == 2)
    assert driver.console_output(guest_id, max_bytes=262144).count(b"user-data was here") == 1

    driver.power_off(guest_id, timeout_s=rig.PATIENCE_S)
    assert b"Requesting system poweroff" in driver.console_output(guest_id, max_bytes=262144)
    assert driver.guests()[guest_id].stopped_by == "host"
    assert spec.image.path.read_bytes() == image_before
    driver.destroy(guest_id)
    assert not (directory / "guests" / guest_id).exists()


def test_a_guest_that_switches_itself_off_is_seen_so_even_by_an_agent_that_was_away(directory: Path) -> None:
    guest_id = str(uuid4())
    drive = {
        "openstack/latest/meta_data.json": b'{"uuid": "x", "hostname": "off"}',
        "openstack/latest/user_data": b"#!/bin/sh\nsleep 1\npoweroff\n",
    }
    spec = replace(rig.tiny_spec(directory, guest_id), config_drive=drive)
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    first = rig.make_driver(directory)
    first.define(spec)
    first.power_on(guest_id, no_tap)
    rig.wait_for_text(first, guest_id, b"tiny: sshd")
    first.close()
    second = rig.make_driver(directory, told.put)
    if second.guests()[guest_id].power != "off":
        assert told.get(timeout=rig.PATIENCE_S) == guest_id
    rig.wait_until(lambda: second.guests()[guest_id].power == "off")
    seen = second.guests()[guest_id]
    assert (seen.stopped_by, seen.stopped_generation) == ("guest", 1)
    assert b"reboot: Power down" in second.console_output(guest_id, max_bytes=4096)
    second.close()


def test_the_boot_probe_tells_a_processor_that_works_from_one_that_does_not(tmp_path: Path) -> None:
    binary = shutil.which("qemu-system-x86_64") or ""
    guest = boot_probe.ProbeGuest(rig.TINY_DIR / "tiny-vmlinuz", rig.TINY_DIR / "tiny-initrd")
    assert boot_probe.run(binary, guest, acceleration="tcg").works
    assert not boot_probe.run(binary, guest, acceleration="no-such-accelerator").works


@pytest.mark.parametrize("power", ["on", "off"])
def test_class_1_what_a_disk_names_in_its_header_is_not_in_its_image(
    directory: Path, driver: Qemu, tmp_path: Path, power: str
) -> None:
    """A process that was taken over may write what it likes into its own disk: no file of the host is copied for it."""
    spec = rig.sector_spec(directory, str(uuid4()))
    driver.define(spec)
    if power == "on":
        driver.power_on(spec.id, no_tap)
    secret = directory / "secret.raw"
    secret.write_bytes(b"SECRET OF THE HOST".ljust(1024 * 1024, b"!"))
    disk = directory / "guests" / spec.id / argv.DISK
    with disk.open("r+b") as file:
        name = str(secret).encode()
        file.seek(8)
        file.write((1024).to_bytes(8) + len(name).to_bytes(4))
        file.seek(1024)
        file.write(name)
    found = driver.snapshot(spec.id)
    header = found.read_bytes()[:32]
    assert header[8:16] == bytes(8)
    raw = tmp_path / "raw"
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(found), str(raw)], check=True, timeout=60)
    content = raw.read_bytes()
    assert b"SECRET OF THE HOST" not in content
    assert content[:512] == spec.image.path.read_bytes()[:512]
