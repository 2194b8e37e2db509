"""Compiles a router's address translation. Pure."""

from pilvi.network.drivers import names
from pilvi.network.drivers.linux.ruleset import Chain, NamedSet, Ruleset, Table
from pilvi.network.drivers.protocol import Router

TABLE = "pilvi_nat"
_FROM_OUTSIDE = 0x4  # Mark of a packet that came in by the gateway.


def compile_router(router: Router) -> Ruleset:
    """Floating IPs are two maps, so that a change is one element; the rest follows from the gateway's address."""
    if router.gateway is None:
        return (Table("inet", TABLE, {}, {"input": _input()}),)
    way_out = f'"{names.link_name(names.GATEWAY_LINK, router.gateway.port_id)}"'
    to_fixed = {one.floating_ip: one.fixed_ip for one in router.floating_ips}
    to_floating = {one.fixed_ip: one.floating_ip for one in reversed(router.floating_ips)}
    sets = {
        "fixed_of": NamedSet("ipv4_addr", "ipv4_addr", elements=to_fixed),
        "floating_of": NamedSet("ipv4_addr", "ipv4_addr", elements=to_floating),
    }
    chains = {
        "arrive": Chain(
            (f"iifname {way_out} meta mark set meta mark | {_FROM_OUTSIDE}",),
            "type filter hook prerouting priority mangle; policy accept;",
        ),
        "prerouting": Chain(
            ("meta nfproto ipv4 dnat ip to ip daddr map @fixed_of",),
            "type nat hook prerouting priority dstnat; policy accept;",
        ),
        "postrouting": Chain(
            tuple(_source_rules(router, way_out)), "type nat hook postrouting priority srcnat; policy accept;"
        ),
        "input": _input(),
    }
    return (Table("inet", TABLE, sets, chains),)


def _source_rules(router: Router, way_out: str) -> list[str]:
    # A guest that calls another by its floating IP must get its answer through us, not across the wire: hence its
    # source is translated too, although the packet never leaves by the gateway.
    inside_out = f"meta mark & {_FROM_OUTSIDE} == 0 ct status dnat oifname != {way_out}"
    floating = "meta nfproto ipv4 snat ip to ip saddr map @floating_of"  # No entry: on to the next rule.
    own = _gateway_address(router)
    rules = [f"{inside_out} {floating}"]
    if own is not None:
        rules.append(f"{inside_out} meta nfproto ipv4 snat ip to {own}")
    rules.append(f"oifname {way_out} meta mark & {_FROM_OUTSIDE} == 0 {floating}")
    if own is not None and router.enable_snat:
        rules.append(f"oifname {way_out} meta mark & {_FROM_OUTSIDE} == 0 meta nfproto ipv4 snat ip to {own}")
    return rules


def _gateway_address(router: Router) -> str | None:
    if router.gateway is None:
        return None
    return next((one.ip for one in router.gateway.fixed_ips if ":" not in one.ip), None)


def _input() -> Chain:
    """Nothing in a router listens to tenants but the kernel itself."""
    return Chain(
        ('iifname "lo" accept', "ct state established,related accept", "meta l4proto { 1, 58 } accept"),
        "type filter hook input priority filter; policy drop;",
    )
