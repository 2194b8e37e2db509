from dataclasses import replace

from pilvi.network.drivers.linux.router_rules import compile_router
from pilvi.network.drivers.linux.ruleset import difference, replacement
from pilvi.network.drivers.protocol import FixedIp, FloatingIp, Router, RouterGateway

ROUTER = Router(
    "r",
    gateway=RouterGateway("gw", "ext", "fa:16:3e:00:00:01", (FixedIp("s", "203.0.113.5"),)),
    floating_ips=(FloatingIp("f", "203.0.113.50", "10.0.0.11"),),
)


def test_a_change_of_one_floating_ip_is_a_change_of_elements() -> None:
    moved = replace(ROUTER, floating_ips=(FloatingIp("f", "203.0.113.50", "10.0.0.12"),))
    script = difference(compile_router(ROUTER), compile_router(moved))
    assert script == (
        "delete element inet pilvi_nat fixed_of { 203.0.113.50 : 10.0.0.11 }\n"
        "add element inet pilvi_nat fixed_of { 203.0.113.50 : 10.0.0.12 }\n"
        "delete element inet pilvi_nat floating_of { 10.0.0.11 : 203.0.113.50 }\n"
        "add element inet pilvi_nat floating_of { 10.0.0.12 : 203.0.113.50 }\n"
    )


def test_without_snat_only_floating_ips_are_translated_on_the_way_out() -> None:
    with_snat, without = (replacement(compile_router(replace(ROUTER, enable_snat=on))) for on in (True, False))
    assert with_snat.count("snat ip to 203.0.113.5\n") == 2
    assert without.count("snat ip to 203.0.113.5\n") == 1


def test_a_router_without_gateway_translates_nothing() -> None:
    assert "nat hook" not in replacement(compile_router(replace(ROUTER, gateway=None)))
