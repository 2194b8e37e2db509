"""The pure parts of the network: pools, prefixes, addresses, rules."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.kernel.errors import BadRequest, Conflict
from pilvi.network.addresses.model import eui64, ranges_of
from pilvi.network.networks.model import check_provider
from pilvi.network.ports.model import check_dhcp_options, check_mac, check_pairs, merged_options, new_mac
from pilvi.network.routers.model import check_routes, gateway_of, needs, parse_routes
from pilvi.network.security_group_rules.model import SecurityGroupRule, check, protocol_of
from pilvi.network.standard.model import fresh, tags_of, tags_text
from pilvi.network.subnetpools.model import SubnetPool, choose, lengths, parse_prefixes
from pilvi.network.subnets.model import Subnet, check_pools, default_gateway, default_pools, parse_prefix

PREFIXES = st.builds(
    lambda number, length: ipaddress.ip_network((number, length), strict=False),
    st.integers(0x0A000000, 0x0AFFFFFF),
    st.integers(16, 30),
)


def subnet_of(prefix: Any, pools: list[dict[str, str]]) -> Subnet:
    return Subnet(
        **fresh("p"), network_id="n", ip_version=prefix.version, cidr=str(prefix), gateway_ip=None, enable_dhcp=True,
        ipv6_ra_mode=None, ipv6_address_mode=None, subnetpool_id=None, allocation_pools=pools, dns_nameservers=[],
        host_routes=[], service_types=[], dns_publish_fixed_ip=False,
    )  # fmt: skip


@given(PREFIXES, st.integers(0, 2**32 - 1))
def test_pools_hold_every_usable_address_but_the_gateway_once(prefix: Any, seed: int) -> None:
    gateway = str(prefix[seed % prefix.num_addresses])
    pools = default_pools(prefix, gateway)
    ranges = ranges_of(subnet_of(prefix, pools))
    usable = prefix.num_addresses - 2
    is_usable = ipaddress.ip_address(gateway) not in (prefix.network_address, prefix.broadcast_address)
    assert ranges.size == usable - is_usable
    some = {ranges.at(seed * i % ranges.size) for i in range(1, 20)} if ranges.size else set()
    assert gateway not in some
    assert all(ipaddress.ip_address(ip) in prefix for ip in some)
    assert check_pools(prefix, pools, gateway) == pools


@given(PREFIXES)
def test_positions_and_addresses_are_one_to_one(prefix: Any) -> None:
    ranges = ranges_of(subnet_of(prefix, default_pools(prefix, default_gateway(prefix))))
    first, last = (int(ipaddress.ip_address(ranges.at(position))) for position in (0, ranges.size - 1))
    assert first <= last
    with pytest.raises(IndexError):
        ranges.at(ranges.size)


def test_the_pool_of_a_wide_prefix_stays_countable() -> None:
    prefix = ipaddress.ip_network("fd00::/32")
    ranges = ranges_of(subnet_of(prefix, default_pools(prefix, "fd00::1")))
    assert ranges.size == 2**62
    assert ranges.at(0) == "fd00::2"


def test_tiny_prefixes_give_out_all_they_have() -> None:
    assert default_pools(ipaddress.ip_network("10.0.0.0/31"), "10.0.0.1") == [{"start": "10.0.0.0", "end": "10.0.0.0"}]
    assert default_pools(ipaddress.ip_network("10.0.0.9/32"), "10.0.0.9") == []


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.0/33", "fd00::/64", "0.0.0.0/0", "x/24", ""])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_prefix(text, 4)


def test_a_station_makes_its_address_of_its_mac() -> None:
    assert eui64("2001:db8::/64", "fa:16:3e:00:00:01") == "2001:db8::f816:3eff:fe00:1"


@given(st.lists(st.text(st.characters(exclude_characters=",/\n"), min_size=1, max_size=20), max_size=10))
def test_tags_survive_their_text(tags: list[str]) -> None:
    assert tags_of(tags_text(tags)) == sorted(set(tags))


@given(st.lists(st.integers(20, 28), max_size=25))
def test_a_pool_cuts_prefixes_that_do_not_overlap(asked: list[int]) -> None:
    pool = pool_of(["10.0.0.0/18"])
    cut: list[Any] = []
    for length in asked:
        try:
            cut.append(choose(pool, [str(one) for one in cut], length))
        except Conflict:
            size = 1 << (32 - length)
            free = [room for room in ipaddress.ip_network("10.0.0.0/18").subnets(new_prefix=length)
                    if not any(room.overlaps(one) for one in cut)]  # fmt: skip
            assert free == [], size
    assert not any(a.overlaps(b) for i, a in enumerate(cut) for b in cut[:i])
    assert all(one.subnet_of(ipaddress.ip_network("10.0.0.0/18")) for one in cut)


def pool_of(prefixes: list[str]) -> SubnetPool:
    return SubnetPool(
        **fresh("p"), prefixes=prefixes, ip_version=4, default_prefixlen=24, min_prefixlen=8, max_prefixlen=32,
        default_quota=None, address_scope_id=None, is_default=False,
    )  # fmt: skip


def test_prefixes_of_a_pool_are_of_one_version_and_said_once() -> None:
    assert [str(p) for p in parse_prefixes(["10.0.1.0/24", "10.0.0.0/24"])] == ["10.0.0.0/23"]
    with pytest.raises(BadRequest):
        parse_prefixes(["10.0.0.0/24", "fd00::/64"])


@pytest.mark.parametrize(("low", "high", "usual"), [(24, 20, None), (33, None, None), (20, 28, 30), (20, 28, 8)])
def test_prefix_lengths_must_agree(low: int | None, high: int | None, usual: int | None) -> None:
    with pytest.raises(BadRequest):
        lengths(4, low, high, usual)


@pytest.mark.parametrize(
    ("kind", "physical", "segment"),
    [("gre", None, None), ("flat", None, None), ("flat", "x", 5), ("vxlan", "x", None), ("vxlan", None, 2**24)],
)
def test_networks_that_no_host_can_carry_are_refused(kind: str, physical: str | None, segment: int | None) -> None:
    with pytest.raises(BadRequest):
        check_provider(kind, physical, segment)


def test_a_network_is_a_tunnel_unless_a_wire_is_named() -> None:
    assert check_provider(None, None, None) == "vxlan"
    assert check_provider(None, "external", None) == "flat"


def test_macs_are_of_one_station() -> None:
    assert check_mac("FA-16-3E-00-00-01") == "fa:16:3e:00:00:01"
    assert check_mac(new_mac()).startswith("fa:16:3e:")
    for bad in ("01:00:5e:00:00:01", "fa:16:3e:00:00", "ff:ff:ff:ff:ff:ff", ""):
        with pytest.raises(BadRequest):
            check_mac(bad)


def test_address_pairs_are_few_and_differ() -> None:
    one = {"ip_address": "10.0.0.1"}
    assert check_pairs([one], "fa:16:3e:00:00:01") == [{"mac_address": "fa:16:3e:00:00:01", **one}]
    wrong: tuple[list[dict[str, str]], ...] = (
        [one, one], [{}], [{"ip_address": "x"}], [{"ip_address": f"10.0.0.{i}"} for i in range(11)],
    )  # fmt: skip
    for bad in wrong:
        with pytest.raises(BadRequest):
            check_pairs(bad, "fa:16:3e:00:00:01")


def test_dhcp_options_are_replaced_by_name_and_version() -> None:
    old = check_dhcp_options([{"opt_name": "mtu", "opt_value": "1400"}, {"opt_name": "a", "opt_value": "b"}])
    new = merged_options(old, [{"opt_name": "mtu", "opt_value": 1300}, {"opt_name": "a", "opt_value": None}])
    assert new == [{"opt_name": "mtu", "opt_value": "1300", "ip_version": 4}]
    for bad in ({"opt_value": "x"}, {"opt_name": "x", "opt_value": "y", "ip_version": "five"}, {"opt_name": ""}):
        with pytest.raises(BadRequest):
            check_dhcp_options([bad])


def test_a_route_needs_a_next_hop_in_reach() -> None:
    route = parse_routes([{"destination": "10.9.0.1/16", "nexthop": "10.0.0.9"}])
    assert route == [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}]
    check_routes(route, ["10.0.0.0/24", "fd00::/64"], ["10.0.0.1"])
    assert needs(route, "10.0.0.0/24")
    assert not needs(route, "10.1.0.0/24")
    for cidrs, own in ((["10.1.0.0/24"], []), (["10.0.0.0/24"], ["10.0.0.9"])):
        with pytest.raises(BadRequest):
            check_routes(route, cidrs, own)
    wrong: tuple[list[Any], ...] = ([{"destination": "x", "nexthop": "10.0.0.9"}], [{}], ["x"], route * 2)
    for bad in wrong:
        with pytest.raises(BadRequest):
            parse_routes(bad)


def test_a_gateway_is_described_or_absent() -> None:
    assert gateway_of(None) is None
    assert gateway_of({}) is None
    for bad in ({"enable_snat": True}, {"network_id": "n", "x": 1}, {"network_id": "n", "enable_snat": "no"}):
        with pytest.raises(BadRequest):
            gateway_of(bad)


def rule(**values: Any) -> SecurityGroupRule:
    rest = {
        "direction": "ingress", "ethertype": "IPv4", "protocol": None, "port_range_min": None, "port_range_max": None,
        "remote_ip_prefix": None, "remote_group_id": None,
    } | values  # fmt: skip
    return SecurityGroupRule(**fresh("p"), security_group_id="g", **rest)


def test_protocols_have_names_and_numbers_and_any_is_none() -> None:
    assert [protocol_of(value) for value in (None, "", "any", "TCP", 17, "58")] == [
        None, None, None, "tcp", "17", "58",
    ]  # fmt: skip
    assert rule(protocol="tcp").meaning == rule(protocol="6").meaning
    assert rule(remote_ip_prefix="10.0.0.9/8").meaning == rule(remote_ip_prefix="10.0.0.0/8").meaning


@given(st.integers(-5, 70000) | st.none(), st.integers(-5, 70000) | st.none())
def test_a_port_range_that_passes_is_one(low: int | None, high: int | None) -> None:
    try:
        check(rule(protocol="udp", port_range_min=low, port_range_max=high))
    except BadRequest:
        return
    assert (low is None and high is None) or (low is not None and high is not None and 0 <= low <= high <= 65535)
