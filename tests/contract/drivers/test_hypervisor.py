"""The fake hypervisor against the suite that the real ones pass too."""

from pathlib import Path

import pytest

from pilvi.compute.drivers.fake import Fake
from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, HasConsole, ImageFile
from tests.contract.drivers.hypervisor_suite import Host, HypervisorSuite, no_tap


def fake_spec(guest_id: str) -> GuestSpec:
    return GuestSpec(guest_id, "one", 1, 1, 128, 1, ImageFile(Path("/nowhere"), "qcow2", 1))


class TestFake(HypervisorSuite):
    @pytest.fixture
    def host(self, tmp_path: Path) -> Host:
        return Host(
            start=lambda: Fake(tmp_path / "guests.json"),
            stop=lambda driver: None,
            crash=lambda driver, guest_id: driver.guest_crashes(guest_id),  # type: ignore[attr-defined]
            make_spec=fake_spec,
        )

    def test_it_fails_when_told_to_and_only_once(self, host: Host) -> None:
        spec = host.spec()
        assert isinstance(host.driver, Fake)
        assert isinstance(host.driver, HasConsole)
        host.driver.fail_next("define", DriverFault("The disk is full.", retry=True))
        with pytest.raises(DriverFault, match="full"):
            host.driver.define(spec)
        assert host.driver.guests() == {}
        host.driver.define(spec)
        host.driver.power_on(spec.id, no_tap)
        assert host.driver.boots(spec.id) == 1
        assert b"login:" in host.driver.console_output(spec.id, max_bytes=1000)

    def test_a_guest_that_shuts_itself_down_says_so(self, host: Host) -> None:
        spec = host.running()
        assert isinstance(host.driver, Fake)
        host.driver.guest_shuts_down(spec.id)
        seen = host.see(spec)
        assert (seen.power, seen.stopped_by, seen.stopped_generation) == ("off", "guest", 1)
