from dataclasses import replace

import pytest

from pilvi.network.drivers.linux.conntrack import Connection
from pilvi.network.drivers.linux.revocation import everything, revoked, untranslated
from pilvi.network.drivers.protocol import AddressPair, FixedIp, HostState, SecurityGroup
from tests.contract.drivers.network_suite import GROUP, PORTS, ROUTER, STATE

A, B = (Connection(1, frozenset({port.fixed_ips[0].ip, "192.0.2.1"})) for port in PORTS)
ELSEWHERE = Connection(2, A.addresses)


def cut(old: HostState, new: HostState) -> list[Connection]:
    meant = revoked(old, new)
    return [one for one in (A, B, ELSEWHERE) if meant is not None and meant(one)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (PORTS, []),
        ((*PORTS, replace(PORTS[0], id="more")), []),
        (PORTS[:1], [B]),
        ((replace(PORTS[0], security_groups=()), PORTS[1]), [A]),
        ((replace(PORTS[0], security_groups=(*PORTS[0].security_groups, "more")), PORTS[1]), []),
        ((replace(PORTS[0], fixed_ips=(FixedIp("sub-1", "10.0.0.99"),)), PORTS[1]), [A]),
        ((replace(PORTS[0], port_security_enabled=False), PORTS[1]), []),
    ],
)
def test_ports_that_lost_something_lose_their_connections(changed: tuple[object, ...], expected: object) -> None:
    assert cut(STATE, replace(STATE, ports=changed)) == expected  # type: ignore[arg-type]


def test_a_group_that_lost_a_rule_cuts_all_its_ports() -> None:
    poorer = SecurityGroup(GROUP.id, rules=GROUP.rules[1:], members4=GROUP.members4)
    assert cut(STATE, replace(STATE, security_groups=(poorer,))) == [A, B]
    richer = SecurityGroup(GROUP.id, rules=GROUP.rules, members4=(*GROUP.members4, "10.0.0.99"))
    assert cut(STATE, replace(STATE, security_groups=(richer,))) == []


def test_an_address_pair_that_is_taken_away_is_a_prefix_to_cut() -> None:
    paired = replace(STATE, ports=(replace(PORTS[0], allowed_address_pairs=(AddressPair("10.7.0.0/16"),)), PORTS[1]))
    meant = revoked(paired, STATE)
    assert meant is not None
    assert meant(Connection(1, frozenset({"10.7.3.4", "192.0.2.1"})))
    assert not meant(Connection(1, frozenset({"10.8.3.4", "192.0.2.1"})))


def test_a_router_cuts_what_is_translated_otherwise_now() -> None:
    assert untranslated(ROUTER, ROUTER) is None
    assert untranslated(ROUTER, replace(ROUTER, routes=())) is None
    assert untranslated(ROUTER, replace(ROUTER, enable_snat=False)) is everything
    meant = untranslated(ROUTER, replace(ROUTER, floating_ips=()))
    assert meant is not None
    assert meant(Connection(0, frozenset({"203.0.113.50"})))
    assert not meant(Connection(0, frozenset({"203.0.113.10"})))
