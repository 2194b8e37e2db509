"""A router: legs in subnets, a gateway to an external network, extra routes. Pure checks."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pilvi.kernel.errors import BadRequest
from pilvi.network.standard.model import Standard, invalid

Route = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Router(Standard):
    admin_state_up: bool
    status: str
    gateway_port_id: str | None
    gateway_network_id: str | None
    enable_snat: bool
    routes: list[Route]
    host: str
    """Where it runs; empty until there is a host."""
    availability_zone_hints: list[str]
    gateway_ips: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What external_gateway_info asks for."""

    network_id: str
    enable_snat: bool | None
    fixed_ips: list[dict[str, Any]] | None


def gateway_of(info: dict[str, Any] | None) -> Gateway | None:
    if not info:
        return None
    if "network_id" not in info or not isinstance(info["network_id"], str):
        raise invalid("external_gateway_info needs a network_id.")
    unknown = set(info) - {"network_id", "enable_snat", "external_fixed_ips"}
    if unknown:
        raise invalid(f"external_gateway_info does not know {sorted(unknown)}.")
    fixed = info.get("external_fixed_ips")
    if fixed is not None and not (isinstance(fixed, list) and all(isinstance(one, dict) for one in fixed)):
        raise invalid("external_fixed_ips is a list of objects with subnet_id and ip_address.")
    snat = info.get("enable_snat")
    if snat is not None and not isinstance(snat, bool):
        raise invalid("enable_snat is true or false.")
    return Gateway(info["network_id"], snat, fixed or None)


def parse_routes(values: Sequence[Any]) -> list[Route]:
    found: list[Route] = []
    for value in values:
        try:
            destination = str(ipaddress.ip_network(value["destination"], strict=False))
            nexthop = str(ipaddress.ip_address(value["nexthop"]))
        except (KeyError, TypeError, ValueError) as error:
            raise invalid(f"Invalid route {value}: it has a destination and a nexthop ({error}).") from None
        route = {"destination": destination, "nexthop": nexthop}
        if route in found:
            raise invalid(f"Duplicate items in the list: '{route}'")
        found.append(route)
    return found


def check_routes(routes: Sequence[Route], cidrs: Sequence[str], own: Sequence[str]) -> None:
    """Every next hop lies in a subnet of the router and is not the router itself."""
    prefixes = [ipaddress.ip_network(cidr) for cidr in cidrs]
    for route in routes:
        nexthop = ipaddress.ip_address(route["nexthop"])
        if not any(nexthop in prefix for prefix in prefixes):
            raise BadRequest(
                f"Invalid format for routes: {route}, the nexthop is not connected with router", type="InvalidRoutes"
            )
        if route["nexthop"] in own:
            raise BadRequest(f"Invalid format for routes: {route}, the nexthop is used by router", type="InvalidRoutes")


def needs(routes: Sequence[Route], cidr: str) -> bool:
    prefix = ipaddress.ip_network(cidr)
    return any(ipaddress.ip_address(route["nexthop"]) in prefix for route in routes)
