"""The hypervisor's in-memory twin: the same promises, no process. It can remember in a file, be slow, and fail."""

import json
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pilvi.compute.drivers.protocol import (
    Capabilities,
    DriverFault,
    GuestSpec,
    Observed,
    OpenTap,
    RebootKind,
    Usage,
    never,
)
from pilvi.kernel import clock


@dataclass(frozen=True, slots=True)
class FakeGuest:
    """`boots` counts how often it started, for tests that must know whether a guest was disturbed."""

    observed: Observed
    boots: int = 0
    console: str = ""
    ports: tuple[str, ...] = ()
    listens: bool = True  # False: it ignores the power button


class Fake:
    """`faults` maps a call's name to what the next call of that name raises; `delay_s` slows every change down.

    What it makes of disks lies in `directory`, or beside the file in which it remembers its guests.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        directory: Path | None = None,
        delay_s: float = 0.0,
        capabilities: Capabilities | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.faults: dict[str, list[Exception]] = {}
        self.calls: list[tuple[str, str]] = []
        self.delay_s = delay_s
        self._sleep = sleep
        self._file = file
        self._directory = file.parent if directory is None and file is not None else directory
        self._lock = threading.RLock()
        self._capabilities = capabilities or Capabilities("fake", "1", "none", 64, 262144, 4096)
        self._guests = _read(file) if file is not None and file.exists() else {}

    # --- the protocol

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def guests(self) -> Mapping[str, Observed]:
        self._fail("guests")
        with self._lock:
            return {guest_id: guest.observed for guest_id, guest in self._guests.items()}

    def define(self, spec: GuestSpec) -> None:
        with self._call("define", spec.id):
            known = self._guests.get(spec.id)
            if known is None:
                observed = Observed(spec.id, "off", spec.generation, reboot_generation=spec.reboot_generation)
                known = FakeGuest(observed)
            elif known.observed.generation >= spec.generation:
                return
            ports = tuple(nic.port_id for nic in spec.nics)
            self._put(replace(known, ports=ports, observed=replace(known.observed, generation=spec.generation)))

    def power_on(self, guest_id: str, open_tap: OpenTap) -> None:
        with self._call("power_on", guest_id):
            guest = self._known(guest_id)
            if guest.observed.power in ("on", "paused"):
                return
            crashes = guest.observed.crashes + (guest.observed.power == "crashed")
            self._put(_booted(replace(guest, observed=replace(guest.observed, crashes=crashes))))

    def power_off(self, guest_id: str, *, timeout_s: float, hurry: Callable[[], bool] = never) -> None:
        with self._call("power_off", guest_id):
            guest = self._guests.get(guest_id)
            if guest is not None:
                self._put(replace(guest, observed=replace(guest.observed, power="off", stopped_by="host")))

    def reboot(
        self,
        guest_id: str,
        kind: RebootKind,
        *,
        generation: int,
        open_tap: OpenTap,
        timeout_s: float,
        hurry: Callable[[], bool] = never,
    ) -> None:
        with self._call("reboot", guest_id):
            guest = self._known(guest_id)
            if guest.observed.reboot_generation < generation:
                rebooted = _booted(guest)
                self._put(replace(rebooted, observed=replace(rebooted.observed, reboot_generation=generation)))

    def pause(self, guest_id: str) -> None:
        self._switch("pause", guest_id, "on", "paused")

    def resume(self, guest_id: str) -> None:
        self._switch("resume", guest_id, "paused", "on")

    def snapshot(self, guest_id: str, *, hurry: Callable[[], bool] = never) -> Path:
        with self._call("snapshot", guest_id):
            self._known(guest_id)
            with tempfile.NamedTemporaryFile(prefix="snapshot-", dir=self._directory, delete=False) as file:
                file.write(_empty_qcow2())
            return Path(file.name)

    def destroy(self, guest_id: str) -> None:
        with self._call("destroy", guest_id):
            self._guests.pop(guest_id, None)

    def console_output(self, guest_id: str, *, max_bytes: int) -> bytes:
        with self._lock:
            guest = self._guests.get(guest_id)
            return b"" if guest is None else guest.console.encode()[-max_bytes:]

    def vnc_socket(self, guest_id: str) -> Path | None:
        return None

    def usage(self) -> Mapping[str, Usage]:
        """Made up, but it grows as long as the guest runs."""
        with self._lock:
            running = [guest for guest in self._guests.values() if guest.observed.power == "on"]
        age_s = clock.monotonic()
        return {guest.observed.id: Usage(age_s / 10, 64 << 20, int(age_s) << 10, int(age_s) << 9) for guest in running}

    # --- what happens to guests by themselves, for tests and the simulator

    def guest_shuts_down(self, guest_id: str) -> None:
        with self._lock:
            guest = self._known(guest_id)
            observed = replace(
                guest.observed, power="off", stopped_by="guest", stopped_generation=guest.observed.generation
            )
            self._put(replace(guest, observed=observed))
            self._save()

    def guest_crashes(self, guest_id: str) -> None:
        with self._lock:
            guest = self._known(guest_id)
            self._put(replace(guest, observed=replace(guest.observed, power="crashed", stopped_by="outage")))
            self._save()

    def machine_restarts(self) -> None:
        with self._lock:
            for guest in list(self._guests.values()):
                if guest.observed.power != "off":
                    self._put(replace(guest, observed=replace(guest.observed, power="off", stopped_by="outage")))
            self._save()

    def boots(self, guest_id: str) -> int:
        with self._lock:
            return self._known(guest_id).boots

    def fail_next(self, call: str, fault: Exception) -> None:
        self.faults.setdefault(call, []).append(fault)

    # --- inside

    def _switch(self, call: str, guest_id: str, before: str, after: str) -> None:
        with self._call(call, guest_id):
            guest = self._known(guest_id)
            if guest.observed.power == after:
                return
            if guest.observed.power != before:
                raise DriverFault(f"The guest is {guest.observed.power}, not {before}.", retry=True)
            power: Any = after
            self._put(replace(guest, observed=replace(guest.observed, power=power)))

    @contextmanager
    def _call(self, name: str, guest_id: str) -> Iterator[None]:
        self._fail(name)
        if self.delay_s > 0:
            self._sleep(self.delay_s)
        with self._lock:
            self.calls.append((name, guest_id))
            del self.calls[:-10_000]
            yield
            self._save()

    def _fail(self, name: str) -> None:
        with self._lock:
            waiting = self.faults.get(name)
            fault = waiting.pop(0) if waiting else None
        if fault is not None:
            raise fault

    def _known(self, guest_id: str) -> FakeGuest:
        guest = self._guests.get(guest_id)
        if guest is None:
            raise DriverFault(f"Guest {guest_id} is not defined on this host.", retry=True)
        return guest

    def _put(self, guest: FakeGuest) -> None:
        self._guests[guest.observed.id] = guest

    def _save(self) -> None:
        if self._file is None:
            return
        part = self._file.with_name(self._file.name + ".part")
        part.write_text(json.dumps([asdict(guest) for guest in self._guests.values()]))
        part.replace(self._file)


def _empty_qcow2() -> bytes:
    """A disk of one MiB with nothing on it: header, table of clusters, and the counts of what is used."""
    cluster = 1 << 16
    fields = (b"QFI\xfb", 2, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    header = struct.pack(">4sIQIIQIIQQIIQ", *fields).ljust(cluster, b"\0")
    counts = struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0") + struct.pack(">4H", 1, 1, 1, 1).ljust(cluster, b"\0")
    return header + counts + bytes(cluster)


def _booted(guest: FakeGuest) -> FakeGuest:
    name = guest.observed.id[:8]
    return replace(
        guest,
        boots=guest.boots + 1,
        console=(guest.console + f"fake guest boots\n{name} login: ")[-65536:],
        observed=replace(guest.observed, power="on", stopped_by="nobody"),
    )


def _read(file: Path) -> dict[str, FakeGuest]:
    guests = {}
    for fields in json.loads(file.read_text()):
        observed = Observed(**fields.pop("observed"))
        guests[observed.id] = FakeGuest(observed, **{**fields, "ports": tuple(fields["ports"])})
    return guests
