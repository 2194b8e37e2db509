"""What every network driver must do. A driver's test class inherits this and says how its host is made."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import pytest

from pilvi.network.drivers.protocol import (
    DriverFault,
    FixedIp,
    FloatingIp,
    HostRoute,
    HostState,
    Network,
    NetworkDriver,
    Port,
    Router,
    RouterGateway,
    RouterInterface,
    SecurityGroup,
    SecurityGroupRule,
    ServicePort,
    Subnet,
)


class Driver(NetworkDriver, Protocol):
    def close(self) -> None: ...


@dataclass
class Host:
    """One machine whose agent can be restarted."""

    start: Callable[[], Driver]
    driver: Driver = field(init=False)

    def __post_init__(self) -> None:
        self.driver = self.start()

    def restart_agent(self) -> None:
        self.driver.close()
        self.driver = self.start()


NET = Network(
    "11111111-0000-4000-8000-000000000001",
    zone=1,
    mtu=1450,
    subnets=(Subnet("sub-1", "10.0.0.0/24", 4, "10.0.0.1"),),
    service_port=ServicePort("svc-1", "fa:16:3e:00:00:02", (FixedIp("sub-1", "10.0.0.2"),)),
)
EXTERNAL = Network(
    "22222222-0000-4000-8000-000000000002",
    zone=2,
    external=True,
    subnets=(Subnet("sub-2", "203.0.113.0/24", 4, "203.0.113.1", enable_dhcp=False),),
)
GROUP = SecurityGroup(
    "group-1",
    rules=(
        SecurityGroupRule("r1", "egress"),
        SecurityGroupRule("r2", "ingress", "IPv4", "tcp", 22, 22, remote_ip_prefix="0.0.0.0/0"),
        SecurityGroupRule("r3", "ingress", remote_group_id="group-1"),
        SecurityGroupRule("r4", "ingress", "IPv6", "icmp"),
    ),
    members4=("10.0.0.11", "10.0.0.12"),
)
PORTS = tuple(
    Port(f"port-{n}", NET.id, f"fa:16:3e:00:00:{n}", (FixedIp("sub-1", f"10.0.0.{n}"),), security_groups=(GROUP.id,))
    for n in (11, 12)
)
ROUTER = Router(
    "33333333-0000-4000-8000-000000000003",
    gateway=RouterGateway("gw-1", EXTERNAL.id, "fa:16:3e:00:00:20", (FixedIp("sub-2", "203.0.113.10"),)),
    interfaces=(RouterInterface("if-1", NET.id, "fa:16:3e:00:00:21", "10.0.0.1", "10.0.0.0/24", "sub-1"),),
    routes=(HostRoute("192.168.0.0/16", "10.0.0.11"),),
    floating_ips=(FloatingIp("fip-1", "203.0.113.50", "10.0.0.11", "port-11"),),
)
STATE = HostState((NET, EXTERNAL), PORTS, (GROUP,), (ROUTER,))


class NetworkDriverSuite:
    def test_every_object_is_applied_and_reported(self, host: Host) -> None:
        status = host.driver.reconcile(STATE)
        assert status.errors() == {}
        assert {(one.kind, one.id) for one in status.objects} == {
            *(("network", one.id) for one in STATE.networks),
            *(("port", one.id) for one in STATE.ports),
            ("security_group", GROUP.id),
            ("router", ROUTER.id),
            ("floating_ip", "fip-1"),
        }

    def test_a_second_turn_changes_nothing_also_after_a_restart(self, host: Host) -> None:
        assert host.driver.reconcile(STATE).changes > 0
        assert host.driver.reconcile(STATE).changes == 0
        host.restart_agent()
        assert host.driver.reconcile(STATE).changes == 0

    def test_a_state_survives_its_journey_as_json(self, host: Host) -> None:
        host.driver.reconcile(STATE)
        assert HostState.from_json(STATE.to_json()) == STATE
        assert host.driver.reconcile(HostState.from_json(STATE.to_json())).changes == 0

    def test_what_is_no_longer_wanted_goes_and_comes_back(self, host: Host) -> None:
        host.driver.reconcile(STATE)
        assert host.driver.reconcile(replace(STATE, ports=PORTS[:1], routers=())).changes > 0
        assert set(host.driver.stats()) == {"port-11"}
        with pytest.raises(DriverFault):
            host.driver.open_tap("port-12")
        assert host.driver.reconcile(HostState()).changes > 0
        assert host.driver.stats() == {}
        assert host.driver.reconcile(STATE).errors() == {}
        assert set(host.driver.stats()) == {"port-11", "port-12"}

    def test_absence_in_a_partial_state_is_not_evidence(self, host: Host) -> None:
        host.driver.reconcile(STATE)
        host.driver.reconcile(HostState(), may_remove=False)
        assert host.driver.reconcile(STATE).changes == 0

    def test_a_tap_is_opened_once_its_port_is_applied(self, host: Host) -> None:
        with pytest.raises(DriverFault) as caught:
            host.driver.open_tap("port-11")
        assert caught.value.retry
        host.driver.reconcile(STATE)
        descriptor = host.driver.open_tap("port-11")
        assert not os.get_inheritable(descriptor)
        os.close(descriptor)
        os.close(host.driver.open_tap("port-11"))

    @pytest.mark.parametrize(
        ("key", "bad"),
        [
            (("network", "bad"), Network("bad", zone=9, mtu=10)),
            (("network", "bad"), Network("bad", zone=1)),
            (("network", "bad"), Network("bad", zone=9, subnets=(Subnet("s", "10.0.0.0/33", 4),))),
            (("port", "bad"), replace(PORTS[0], id="bad", mac="no")),
            (("port", "bad"), replace(PORTS[0], id="bad", mac="01:00:00:00:00:01")),
            (("port", "bad"), replace(PORTS[0], id="bad", network_id="elsewhere")),
            (("port", "bad"), replace(PORTS[0], id="bad", fixed_ips=(FixedIp("s", "10.0.0.1; drop"),))),
            (("security_group", "bad"), SecurityGroup("bad", members4=("fd00::1",))),
            (("router", "bad"), replace(ROUTER, id="bad", floating_ips=(), routes=(HostRoute("x", "y"),))),
        ],
    )
    def test_a_bad_object_has_an_error_and_harms_no_other(self, host: Host, key: tuple[str, str], bad: object) -> None:
        kind = f"{key[0]}s"
        state = replace(STATE, **{kind: (*getattr(STATE, kind), bad)})
        status = host.driver.reconcile(state)
        assert set(status.errors()) == {key}
        assert host.driver.reconcile(STATE).errors() == {}

    def test_teardown_leaves_nothing_and_may_be_repeated(self, host: Host) -> None:
        host.driver.reconcile(STATE)
        host.driver.teardown()
        host.driver.teardown()
        assert host.driver.stats() == {}
        assert host.driver.reconcile(STATE).errors() == {}

    def test_capabilities_name_the_driver(self, host: Host) -> None:
        assert host.driver.capabilities().driver in {"fake", "linux"}
        assert host.driver.capabilities().security_groups
