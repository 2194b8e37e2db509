import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.network.drivers.linux.security_groups import (
    BadRule,
    chain_name,
    compile_groups,
    compile_rule,
    members_name,
    prefixes,
    shrunk,
)
from pilvi.network.drivers.protocol import SecurityGroup, SecurityGroupRule


def rule(direction: str = "ingress", ethertype: str = "IPv4", **fields: object) -> SecurityGroupRule:
    return SecurityGroupRule("r", direction, ethertype, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_rule", "compiled"),
    [
        (rule(), "meta protocol ip accept"),
        (rule("egress", "IPv6"), "meta protocol ip6 accept"),
        (rule(protocol="tcp"), "meta protocol ip meta l4proto 6 accept"),
        (rule(protocol="tcp", port_range_min=22, port_range_max=22), "meta protocol ip tcp dport 22 accept"),
        (rule(protocol="17", port_range_min=1, port_range_max=99), "meta protocol ip udp dport 1-99 accept"),
        (rule(protocol="icmp"), "meta protocol ip meta l4proto 1 accept"),
        (rule(protocol="icmp", port_range_min=8), "meta protocol ip icmp type 8 accept"),
        (
            rule(protocol="icmp", port_range_min=8, port_range_max=0),
            "meta protocol ip icmp type 8 icmp code 0 accept",
        ),
        (rule(ethertype="IPv6", protocol="icmp"), "meta protocol ip6 meta l4proto 58 accept"),
        (rule(ethertype="IPv6", protocol="ipv6-icmp", port_range_min=128),
         "meta protocol ip6 icmpv6 type 128 accept"),
        (rule(protocol="vrrp"), "meta protocol ip meta l4proto 112 accept"),
        (rule(remote_ip_prefix="10.0.0.0/8"), "meta protocol ip ip saddr 10.0.0.0/8 accept"),
        (rule("egress", remote_ip_prefix="10.0.0.7"), "meta protocol ip ip daddr 10.0.0.7/32 accept"),
        (rule(remote_ip_prefix="0.0.0.0/0"), "meta protocol ip accept"),
        (rule(remote_group_id="g"), f"meta protocol ip ip saddr @{members_name('g', 4)} accept"),
    ],
)  # fmt: skip
def test_a_rule_becomes_this(given_rule: SecurityGroupRule, compiled: str) -> None:
    assert compile_rule(given_rule) == compiled


@pytest.mark.parametrize(
    "bad",
    [
        rule(ethertype="IPX"),
        rule(protocol="tcp; accept"),
        rule(protocol="300"),
        rule(port_range_min=1),
        rule(protocol="esp", port_range_min=1),
        rule(protocol="tcp", port_range_min=70000),
        rule(protocol="tcp", port_range_min=9, port_range_max=1),
        rule(protocol="icmp", port_range_max=1),
        rule(protocol="icmp", port_range_min=256),
        rule(remote_ip_prefix="fd00::/8"),
        rule(remote_ip_prefix="nowhere"),
    ],
)
def test_a_rule_without_meaning_is_refused(bad: SecurityGroupRule) -> None:
    with pytest.raises(ValueError):
        compile_rule(bad)
    good = rule("egress")
    chains, _, errors = compile_groups((SecurityGroup("g", rules=(bad, good)),))
    assert "g" in errors
    assert chains[chain_name("g", "ingress")].rules == ()
    assert chains[chain_name("g", "egress")].rules == ("meta protocol ip accept",)


def test_bad_rules_are_value_errors() -> None:
    assert issubclass(BadRule, ValueError)


@given(st.from_type(SecurityGroupRule))
def test_whatever_a_rule_says_it_is_one_harmless_line_or_refused(any_rule: SecurityGroupRule) -> None:
    try:
        compiled = compile_rule(any_rule)
    except ValueError:
        return
    assert compiled.endswith(" accept")
    assert not set(compiled) & set("\n;{}\"'#\\")


def test_members_are_listed_only_for_groups_that_rules_name() -> None:
    named = SecurityGroup("named", members4=("10.0.0.1", "10.0.0.0/30"), members6=("fd00::1",))
    asking = SecurityGroup("asking", rules=(rule(remote_group_id="named"), rule(remote_group_id="unknown")))
    chains, sets, errors = compile_groups((named, asking))
    assert errors == {}
    assert {name: set(one.elements) for name, one in sets.items()} == {members_name("named", 4): {"10.0.0.0/30"}}
    assert len(chains[chain_name("asking", "ingress")].rules) == 1


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).flatmap(
    lambda ip: st.integers(0, ip.max_prefixlen).map(lambda n: str(ipaddress.ip_network(f"{ip}/{n}", strict=False)))
)


@given(st.lists(addresses, max_size=30), st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_prefixes_never_overlap_and_cover_the_same(
    given_prefixes: list[str], probe: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    found = [ipaddress.ip_network(one) for one in prefixes(given_prefixes)]
    for one in found:
        assert not any(one is not other and one.version == other.version and one.overlaps(other) for other in found)  # type: ignore[arg-type]
        assert one.prefixlen > 0
    was_in = any(probe in ipaddress.ip_network(one) for one in given_prefixes)
    assert was_in == any(probe in one for one in found)


def test_groups_shrink_when_they_lose_a_rule_or_their_remote_group_a_member() -> None:
    remote = SecurityGroup("remote", members4=("10.0.0.1", "10.0.0.2"))
    first = SecurityGroup("first", rules=(rule(protocol="tcp"), rule(protocol="udp")))
    second = SecurityGroup("second", rules=(rule(remote_group_id="remote"),))
    old = (remote, first, second)
    same_rule_new_id = SecurityGroupRule("other", "ingress", protocol="tcp")
    assert shrunk(old, old) == set()
    assert shrunk(old, (remote, SecurityGroup("first", rules=(same_rule_new_id, first.rules[1])), second)) == set()
    assert shrunk(old, (remote, SecurityGroup("first", rules=first.rules[:1]), second)) == {"first"}
    assert shrunk(old, (SecurityGroup("remote", members4=("10.0.0.1",)), first, second)) == {"second"}
    assert shrunk(old, (remote, second)) == {"first"}
