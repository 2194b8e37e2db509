"""The `linux` driver on the real kernel: who reaches whom."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.network.drivers.protocol import HostState
from tests.integration import linux_network_rig as made
from tests.integration.linux_network_rig import Rig

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with made.rig(tmp_path) as rig:
        yield rig


def test_guests_of_a_network_ping_each_other_and_a_second_turn_changes_nothing(rig: Rig) -> None:
    net, group = made.network(cidr6="fd00:1::/64"), made.group(*made.PING)
    a = made.port(net, "10.0.0.11", "fd00:1::11", groups=(group,))
    b = made.port(net, "10.0.0.12", "fd00:1::12", groups=(group,))
    state = HostState((net,), (a, b), (group,))
    rig.apply(state)
    guest = rig.guest(a)
    rig.guest(b)
    assert rig.apply(state).changes > 0

    assert guest.pings("10.0.0.12")
    assert guest.pings("fd00:1::12")
    assert rig.apply(state).changes == 0
    rig.restart()
    assert rig.apply(state).changes == 0
    assert set(rig.driver.stats()) == {a.id, b.id}
