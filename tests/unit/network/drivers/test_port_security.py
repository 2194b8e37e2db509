from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pilvi.network.drivers.linux.port_security import BR_NETFILTER, BRIDGE_CONNTRACK, compile_filter, link_local
from pilvi.network.drivers.linux.ruleset import replacement
from pilvi.network.drivers.names import tap_name
from pilvi.network.drivers.protocol import (
    AddressPair,
    FixedIp,
    HostState,
    Network,
    Port,
    Router,
    RouterInterface,
    SecurityGroup,
    SecurityGroupRule,
    ServicePort,
)
from pilvi.network.drivers.vet import vet

GOLDEN = Path(__file__).parent / "golden"
STATE = HostState(
    networks=(
        Network("net", 7, service_port=ServicePort("svc", "fa:16:3e:00:00:02")),
        Network("ext", 8, external=True),
    ),
    ports=(
        Port(
            "guarded", "net", "FA:16:3E:00:00:0B", (FixedIp("s", "10.0.0.11"), FixedIp("s6", "fd00::11")),
            security_groups=("web", "unknown"),
            allowed_address_pairs=(AddressPair("10.9.0.0/16"), AddressPair("::/0", "fa:16:3e:00:00:99")),
        ),
        Port("free", "net", "fa:16:3e:00:00:0c", port_security_enabled=False),
        Port("alone", "net", "fa:16:3e:00:00:0d", (FixedIp("s", "10.0.0.13"),)),
    ),
    security_groups=(
        SecurityGroup("web", members4=("10.0.0.11",), rules=(
            SecurityGroupRule("1", "egress"), SecurityGroupRule("2", "egress", "IPv6"),
            SecurityGroupRule("3", "ingress", "IPv4", "tcp", 80, 81, "192.0.2.0/24"),
            SecurityGroupRule("4", "ingress", remote_group_id="web"),
        )),
    ),
    routers=(
        Router("r", interfaces=(
            RouterInterface("leg", "net", "fa:16:3e:00:00:01", "10.0.0.1", "10.0.0.0/24", "s"),
        )),
    ),
)  # fmt: skip


def compiled(state: HostState, shim: str = BR_NETFILTER) -> str:
    vetted = vet(state)
    assert vetted.errors == {}
    return replacement(compile_filter(vetted.state, shim)[0])


def test_the_filter_is_exactly_this() -> None:
    assert compiled(STATE) == (GOLDEN / "filter.nft").read_text()


def test_with_the_bridge_s_own_conntrack_only_the_marks_come_from_elsewhere() -> None:
    text = compiled(STATE, BRIDGE_CONNTRACK)
    assert "table bridge pilvi_ct {" in text
    assert "table inet" not in text
    assert "ct zone set 7" in text
    assert compiled(STATE).split("add table bridge pilvi\n")[1] == text.split("add table bridge pilvi\n")[1]


def test_an_empty_host_forwards_nothing() -> None:
    text = compiled(HostState())
    assert text.count("policy drop;") == 3
    assert "elements" not in text


macs = st.binary(min_size=5, max_size=5).map(lambda raw: "fa:" + raw.hex(":"))


@given(st.lists(st.tuples(macs, st.ip_addresses(v=4), st.booleans()), max_size=8))
def test_a_port_is_guarded_or_free_never_both_never_neither(drawn: list[tuple[str, object, bool]]) -> None:
    ports = tuple(
        Port(f"p{n}", "net", mac, (FixedIp("s", str(ip)),), port_security_enabled=guarded)
        for n, (mac, ip, guarded) in enumerate(drawn)
    )
    ruleset, errors = compile_filter(vet(HostState((Network("net", 1),), ports)).state)
    sets = ruleset[1].sets
    assert errors == {}
    for port in ports:
        tap = f'"{tap_name(port.id)}"'
        assert (tap in sets["guarded"].elements) == port.port_security_enabled
        assert (tap in sets["unguarded"].elements) == (not port.port_security_enabled)
        assert tap in sets["egress_of"].elements
        assert tap in sets["ingress_of"].elements


def test_a_link_local_address_is_made_of_the_mac() -> None:
    assert link_local("fa:16:3e:00:00:0b") == "fe80::f816:3eff:fe00:b"
