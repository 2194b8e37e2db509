"""What every hypervisor driver must do. A driver's test class inherits this and says how its host is made."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

import pytest

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, Hypervisor, Observed


def no_tap(port_id: str) -> int:
    raise AssertionError(f"no tap was needed, and {port_id} was asked for")


class Driver(Hypervisor, Protocol):
    def console_output(self, guest_id: str, *, max_bytes: int) -> bytes: ...


@dataclass
class Host:
    """One machine with a driver, whose agent can be restarted and whose guests can be made to die."""

    start: Callable[[], Driver]
    stop: Callable[[Driver], None]
    crash: Callable[[Driver, str], None]
    make_spec: Callable[[str], GuestSpec]
    driver: Driver = field(init=False)

    def __post_init__(self) -> None:
        self.driver = self.start()

    def restart_agent(self) -> None:
        self.stop(self.driver)
        self.driver = self.start()

    def spec(self, **changes: object) -> GuestSpec:
        return replace(self.make_spec(str(uuid4())), **changes)  # type: ignore[arg-type]

    def running(self, **changes: object) -> GuestSpec:
        spec = self.spec(**changes)
        self.driver.define(spec)
        self.driver.power_on(spec.id, no_tap)
        return spec

    def see(self, spec: GuestSpec) -> Observed:
        return self.driver.guests()[spec.id]


class HypervisorSuite:
    """Each call is made twice: the second time must change nothing."""

    @pytest.fixture
    def host(self) -> Host:
        raise NotImplementedError

    def test_a_fresh_host_has_capabilities_and_no_guests(self, host: Host) -> None:
        found = host.driver.capabilities()
        assert min(found.vcpus, found.memory_mib, found.disk_gib) > 0
        assert host.driver.guests() == {}

    def test_a_defined_guest_is_off(self, host: Host) -> None:
        spec = host.spec(reboot_generation=4)
        for _ in range(2):
            host.driver.define(spec)
            seen = host.see(spec)
            assert (seen.power, seen.generation, seen.reboot_generation) == ("off", 1, 4)

    def test_a_guest_runs_until_it_is_stopped(self, host: Host) -> None:
        spec = host.running()
        host.driver.power_on(spec.id, no_tap)
        assert host.see(spec).power == "on"
        for _ in range(2):
            host.driver.power_off(spec.id, timeout_s=0)
            assert (host.see(spec).power, host.see(spec).stopped_by) == ("off", "host")

    @pytest.mark.parametrize("power", ["on", "off", "paused"])
    def test_an_image_of_a_guest_is_a_whole_disk_and_the_guest_is_as_before(self, host: Host, power: str) -> None:
        spec = host.running()
        if power == "off":
            host.driver.power_off(spec.id, timeout_s=0)
        if power == "paused":
            host.driver.pause(spec.id)
        for _ in range(2):
            path = host.driver.snapshot(spec.id)
            header = path.read_bytes()[:32]
            assert header[:4] == b"QFI\xfb"
            assert header[8:16] == bytes(8), "it refers to no other file"
            path.unlink()
        assert host.see(spec).power == power

    def test_a_guest_that_is_not_here_has_no_image(self, host: Host) -> None:
        with pytest.raises(DriverFault):
            host.driver.snapshot(str(uuid4()))

    def test_a_stopped_guest_starts_again(self, host: Host) -> None:
        spec = host.running()
        host.driver.power_off(spec.id, timeout_s=0)
        host.driver.power_on(spec.id, no_tap)
        assert (host.see(spec).power, host.see(spec).stopped_by) == ("on", "nobody")

    def test_a_guest_that_does_not_listen_is_switched_off_in_time(self, host: Host) -> None:
        spec = host.running()
        host.driver.power_off(spec.id, timeout_s=1)
        assert host.see(spec).power == "off"

    def test_a_hurried_stop_does_not_wait(self, host: Host) -> None:
        spec = host.running()
        host.driver.power_off(spec.id, timeout_s=300, hurry=lambda: True)
        assert host.see(spec).power == "off"

    def test_pause_and_resume(self, host: Host) -> None:
        spec = host.running()
        for _ in range(2):
            host.driver.pause(spec.id)
            assert host.see(spec).power == "paused"
        for _ in range(2):
            host.driver.resume(spec.id)
            assert host.see(spec).power == "on"

    def test_a_guest_that_is_off_cannot_be_paused(self, host: Host) -> None:
        spec = host.spec()
        host.driver.define(spec)
        with pytest.raises(DriverFault):
            host.driver.pause(spec.id)

    def test_a_reboot_is_done_once_for_its_generation(self, host: Host) -> None:
        spec = host.running()
        for _ in range(2):
            host.driver.reboot(spec.id, "hard", generation=1, open_tap=no_tap, timeout_s=0)
            assert (host.see(spec).power, host.see(spec).reboot_generation) == ("on", 1)

    def test_a_soft_reboot_of_a_guest_that_does_not_listen_is_a_hard_one(self, host: Host) -> None:
        spec = host.running()
        host.driver.reboot(spec.id, "soft", generation=7, open_tap=no_tap, timeout_s=1)
        assert (host.see(spec).power, host.see(spec).reboot_generation) == ("on", 7)

    def test_a_reboot_starts_a_guest_that_is_off(self, host: Host) -> None:
        spec = host.spec()
        host.driver.define(spec)
        host.driver.reboot(spec.id, "hard", generation=2, open_tap=no_tap, timeout_s=0)
        assert host.see(spec).power == "on"

    def test_destroying_leaves_nothing(self, host: Host) -> None:
        spec = host.running()
        for _ in range(2):
            host.driver.destroy(spec.id)
            assert spec.id not in host.driver.guests()

    def test_unknown_guests_are_faults_that_say_so(self, host: Host) -> None:
        stranger = host.spec()
        with pytest.raises(DriverFault, match=stranger.id):
            host.driver.power_on(stranger.id, no_tap)
        host.driver.power_off(stranger.id, timeout_s=0)
        assert host.driver.console_output(stranger.id, max_bytes=100) == b""

    def test_a_newer_generation_is_defined_under_a_running_guest(self, host: Host) -> None:
        spec = host.running()
        host.driver.define(replace(spec, generation=2))
        host.driver.define(spec)  # an older one that comes late changes nothing
        assert (host.see(spec).power, host.see(spec).generation) == ("on", 2)

    def test_guests_survive_the_agent(self, host: Host) -> None:
        on, paused, off = host.running(), host.running(), host.spec()
        host.driver.pause(paused.id)
        host.driver.define(off)
        before = host.driver.guests()
        host.restart_agent()
        assert host.driver.guests() == before
        host.driver.power_off(on.id, timeout_s=0)
        host.driver.resume(paused.id)
        assert (host.see(on).power, host.see(paused).power) == ("off", "on")

    def test_a_crash_is_seen_counted_and_mended(self, host: Host) -> None:
        spec = host.running()
        host.crash(host.driver, spec.id)
        seen = host.see(spec)
        assert (seen.power, seen.stopped_by, seen.crashes) == ("crashed", "outage", 0)
        host.driver.power_on(spec.id, no_tap)
        assert (host.see(spec).power, host.see(spec).crashes) == ("on", 1)

    def test_a_crashed_guest_can_be_stopped_rebooted_and_destroyed(self, host: Host) -> None:
        stopped, rebooted, destroyed = host.running(), host.running(), host.running()
        for spec in (stopped, rebooted, destroyed):
            host.crash(host.driver, spec.id)
        host.restart_agent()
        host.driver.power_off(stopped.id, timeout_s=5)
        host.driver.reboot(rebooted.id, "soft", generation=1, open_tap=no_tap, timeout_s=5)
        host.driver.destroy(destroyed.id)
        seen = {guest_id: observed.power for guest_id, observed in host.driver.guests().items()}
        assert seen == {stopped.id: "off", rebooted.id: "on"}
