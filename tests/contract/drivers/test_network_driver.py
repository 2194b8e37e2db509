"""The in-memory twin keeps the promises of a network driver, and breaks them on demand."""

import pytest

from pilvi.network.drivers.fake import FakeDriver, FakeHost
from pilvi.network.drivers.protocol import DriverFault
from tests.contract.drivers.network_suite import STATE, Host, NetworkDriverSuite


class TestFake(NetworkDriverSuite):
    @pytest.fixture
    def host(self) -> Host:
        machine = FakeHost()
        return Host(lambda: FakeDriver(machine))


def test_planted_faults_are_reported_until_they_are_taken_back() -> None:
    driver = FakeDriver()
    driver.faults["network", STATE.networks[0].id] = "broken"
    assert driver.reconcile(STATE).error_of("port", "port-11") == "broken"
    driver.faults.clear()
    assert driver.reconcile(STATE).errors() == {}
    driver.outage = "the host is on fire"
    with pytest.raises(DriverFault, match="fire"):
        driver.reconcile(STATE)
