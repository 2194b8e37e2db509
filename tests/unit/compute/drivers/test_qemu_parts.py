"""The parts of the qemu driver that need no QEMU: records, processes, QMP, console, disks' sizes."""

import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, ImageFile, Nic
from pilvi.compute.drivers.qemu import boot_probe, config_drive, console, disks, process, record
from pilvi.compute.drivers.qemu.driver import check
from pilvi.compute.drivers.qemu.qmp import Qmp, QmpFault, connect_unix, peer_uid
from pilvi.compute.drivers.qemu.record import Record

SPEC = GuestSpec(
    id="11111111-2222-3333-4444-555555555555",
    name="one",
    generation=3,
    vcpus=1,
    memory_mib=128,
    root_gib=1,
    image=ImageFile(Path("/cache/x"), "qcow2", 5 * disks.MIB),
    nics=(Nic("p1", "fa:16:3e:00:00:01"),),
    config_drive={"a": b"secret"},
)
KNOWN = Record(SPEC, 1_600_000_000, 1, "pc-q35-7.2")


# --- records


def test_a_record_comes_back_as_it_was_written_without_the_metadata(tmp_path: Path) -> None:
    known = KNOWN.started(pid=5, start_ticks=6, boot_id="b").crashed(1.5)
    record.write(tmp_path, known)
    assert record.read(tmp_path) == replace(known, spec=replace(SPEC, config_drive={}))
    assert b"secret" not in (tmp_path / record.FILE).read_bytes()
    assert (tmp_path / record.FILE).stat().st_mode & 0o077 == 0


def test_no_record_is_none_and_a_broken_one_is_a_fault_that_names_it(tmp_path: Path) -> None:
    assert record.read(tmp_path) is None
    (tmp_path / record.FILE).write_text('{"spec": {}}')
    with pytest.raises(DriverFault, match=r"guest\.json"):
        record.read(tmp_path)


def test_crashes_are_remembered_up_to_a_bound() -> None:
    known = KNOWN
    for at in range(30):
        known = known.crashed(float(at))
    assert known.crashed_at == tuple(float(at) for at in range(20, 30))


# --- processes


def sleeper(directory: Path) -> process.Process:
    argv = [sys.executable, "-c", "import time; time.sleep(60)", "a-marker"]
    return process.start(argv, directory=directory, uid=None, log=directory / "log", pass_fds=[], groups=[])


def test_a_process_lives_until_it_is_killed(tmp_path: Path) -> None:
    started = sleeper(tmp_path)
    assert process.is_alive(started)
    assert os.getsid(started.pid) == started.pid
    assert not process.wait_gone(started, 0.05)
    for _ in range(2):
        process.kill(started)
        assert not process.is_alive(started)
    assert process.wait_gone(started, 0)


def test_a_pid_that_was_given_to_another_process_is_not_the_one_we_knew(tmp_path: Path) -> None:
    started = sleeper(tmp_path)
    impostor = replace(started, start_ticks=started.start_ticks - 1)
    assert not process.is_alive(impostor)
    process.kill(impostor)
    assert process.is_alive(started)
    process.kill(started)


def test_a_process_that_ends_while_nobody_asks_is_buried(tmp_path: Path) -> None:
    started = sleeper(tmp_path)
    assert not process.bury_ended()
    descriptor = os.pidfd_open(started.pid)
    os.kill(started.pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 30)[0]
    os.close(descriptor)
    assert Path("/proc", str(started.pid)).exists()
    process.bury_ended()
    assert not Path("/proc", str(started.pid)).exists()


def test_a_process_is_found_by_its_directory_and_a_word(tmp_path: Path) -> None:
    started = sleeper(tmp_path)
    deadline = time.monotonic() + 10
    while process.find(tmp_path.resolve(), "a-marker") != [started]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.find(tmp_path.resolve(), "another") == []
    assert process.find(tmp_path.parent.resolve(), "a-marker") == []
    process.kill(started)
    assert process.find(tmp_path.resolve(), "a-marker") == []


def test_a_program_that_is_missing_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DriverFault, match="no-such-program"):
        process.start(["no-such-program"], directory=tmp_path, uid=None, log=tmp_path / "l", pass_fds=[], groups=[])


def test_a_log_that_grows_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (process.MOST_LOG_BYTES + 1))
    process.bound_log(log)
    assert log.stat().st_size == 0
    assert process.log_tail(tmp_path / "nothing") == ""


# --- QMP


@contextmanager
def monitor(
    path: Path, answer: Callable[[dict[str, object]], bytes], greeting: bytes = b'{"QMP": {}}\n'
) -> Iterator[None]:
    """A monitor that answers each command as told."""
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(path.parent, os.O_PATH)
    listener.bind(f"/proc/self/fd/{directory}/{path.name}")
    os.close(directory)
    listener.listen()

    def serve() -> None:
        with suppress(OSError):  # the client may leave without a word
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(greeting)
                for line in lines:
                    connection.sendall(answer(json.loads(line)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()
        thread.join(10)


def test_a_command_is_answered_whatever_events_come_first(tmp_path: Path) -> None:
    def answer(request: dict[str, object]) -> bytes:
        return b'{"event": "STOP"}\n{"return": %s}\n' % json.dumps(request).encode()

    with monitor(tmp_path / "s", answer), Qmp(tmp_path / "s", uid=os.getuid()) as qmp:
        assert qmp.execute("do-it", node_name="x") == {"execute": "do-it", "arguments": {"node-name": "x"}}


def test_a_refusal_says_what_qemu_said(tmp_path: Path) -> None:
    def answer(request: dict[str, object]) -> bytes:
        if request["execute"] == "qmp_capabilities":
            return b'{"return": {}}\n'
        return b'{"error": {"class": "DeviceNotFound", "desc": "no such device"}}\n'

    with monitor(tmp_path / "s", answer), Qmp(tmp_path / "s") as qmp:
        with pytest.raises(QmpFault, match="no such device") as fault:
            qmp.execute("device_del")
        assert fault.value.error_class == "DeviceNotFound"


def test_a_monitor_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with monitor(tmp_path / "s", lambda request: b"", greeting=b""), pytest.raises(QmpFault, match="does not answer"):
        Qmp(tmp_path / "s", timeout_s=0.1)


@pytest.mark.parametrize("greeting", [b"hello\n", b"[]\n", b"{}\n"])
def test_what_is_not_a_monitor_is_not_spoken_to(tmp_path: Path, greeting: bytes) -> None:
    with monitor(tmp_path / "s", lambda request: b"", greeting), pytest.raises(QmpFault):
        Qmp(tmp_path / "s", timeout_s=5)


def test_a_socket_of_another_user_is_not_spoken_to(tmp_path: Path) -> None:
    with monitor(tmp_path / "s", lambda request: b""), pytest.raises(QmpFault, match="does not belong"):
        Qmp(tmp_path / "s", uid=4_000_000_000)


def test_a_path_longer_than_an_address_can_be_connected_to(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with monitor(deep / "s", lambda request: b"{}"), connect_unix(deep / "s", timeout_s=5) as connection:
        assert peer_uid(connection) == os.getuid()
    with pytest.raises(QmpFault, match="Nobody listens"):
        connect_unix(deep / "t", timeout_s=5)


# --- console


def test_the_console_log_keeps_the_end_within_its_bound(tmp_path: Path) -> None:
    assert console.tail(tmp_path, 10) == b""
    for letter in b"abcdefgh":
        console.append(tmp_path, bytes([letter]) * 100_000)
    assert (tmp_path / console.FILE).stat().st_size <= 2 * console.MOST_BYTES
    assert console.tail(tmp_path, 10) == b"h" * 10
    assert len(console.tail(tmp_path, 10**9)) == console.MOST_BYTES


# --- disks


def test_the_root_disk_is_the_flavors_and_at_least_the_images() -> None:
    assert disks.root_size_bytes(SPEC) == disks.GIB
    assert disks.root_size_bytes(replace(SPEC, root_gib=0)) == 5 * disks.MIB
    too_big = replace(SPEC, image=ImageFile(Path("/x"), "qcow2", 3 * disks.GIB + 1))
    with pytest.raises(DriverFault, match="needs a disk of 4 GiB; the flavor gives 1 GiB"):
        disks.root_size_bytes(too_big)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", ""])
def test_a_config_drive_has_no_files_outside_itself(name: str) -> None:
    with pytest.raises(DriverFault, match="not a path"):
        config_drive.checked(name)


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, id="../../etc"),
        replace(SPEC, nics=(Nic("p", "fa:16:3e:00:00:01,romfile=/etc/shadow"),)),
        replace(SPEC, nics=(Nic("p", "fa:16:3e:00:00:01", 0),)),
        replace(SPEC, vcpus=0),
        replace(SPEC, swap_mib=-1),
    ],
)
def test_what_would_reach_a_command_line_is_checked(spec: GuestSpec) -> None:
    check(SPEC)
    with pytest.raises(DriverFault):
        check(spec)


# --- the probe


def test_the_answer_of_the_probe_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run(binary: str, guest: object) -> boot_probe.Probe:
        asked.append(binary)
        return boot_probe.Probe(False, "it hung")

    monkeypatch.setattr(boot_probe, "run", run)
    for _ in range(3):
        assert boot_probe.choose("auto", tmp_path / "probe.json", "/bin/sh") == ("tcg", "it hung")
    assert asked == ["/bin/sh"]
    boot_probe.choose("auto", tmp_path / "probe.json", "/bin/ls")
    assert len(asked) == 2, "another QEMU is asked anew"
    assert boot_probe.choose("tcg", tmp_path / "other.json", "/bin/sh")[0] == "tcg"
    assert boot_probe.choose("kvm", tmp_path / "probe.json", "/bin/ls")[0] == "kvm"
    assert len(asked) == 2


def test_the_probes_boot_sector_is_one() -> None:
    assert len(boot_probe.boot_sector()) == 512
    assert boot_probe.boot_sector().endswith(b"\x55\xaa")
