"""What a host is told of the network, in the records that its driver understands. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pilvi.kernel import clock
from pilvi.kernel.errors import BadRequest
from pilvi.network.drivers import protocol
from pilvi.network.floating_ips.model import FloatingIp
from pilvi.network.networks.model import OUTSIDE_WORLD, Network
from pilvi.network.ports.model import Port
from pilvi.network.routers.model import Router
from pilvi.network.security_group_rules.model import SecurityGroupRule
from pilvi.network.security_groups.model import SecurityGroup
from pilvi.network.subnets.model import Subnet

COMPUTE = "compute:"


def fixed_ips(port: Port) -> tuple[protocol.FixedIp, ...]:
    return tuple(protocol.FixedIp(fixed["subnet_id"], fixed["ip_address"]) for fixed in port.fixed_ips)


def subnet_of(subnet: Subnet) -> protocol.Subnet:
    return protocol.Subnet(
        id=subnet.id, cidr=subnet.cidr, ip_version=subnet.ip_version, gateway_ip=subnet.gateway_ip,
        enable_dhcp=subnet.enable_dhcp, dns_nameservers=tuple(subnet.dns_nameservers),
        host_routes=tuple(protocol.HostRoute(one["destination"], one["nexthop"]) for one in subnet.host_routes),
        ipv6_ra_mode=subnet.ipv6_ra_mode, ipv6_address_mode=subnet.ipv6_address_mode,
        allocation_pools=tuple(protocol.AllocationPool(one["start"], one["end"]) for one in subnet.allocation_pools),
    )  # fmt: skip


def network_of(
    network: Network, subnets: Sequence[Subnet], service_port: Port | None, dns_domain: str
) -> protocol.Network:
    physical = None if network.physical_network == OUTSIDE_WORLD else network.physical_network
    service = (
        None if service_port is None
        else protocol.ServicePort(service_port.id, service_port.mac, fixed_ips(service_port))
    )  # fmt: skip
    return protocol.Network(
        id=network.id, zone=network.zone, mtu=network.mtu, external=network.external, physical_network=physical,
        vni=network.segmentation_id, subnets=tuple(subnet_of(subnet) for subnet in subnets), service_port=service,
        dns_domain=network.dns_domain or dns_domain,
    )  # fmt: skip


def port_of(port: Port) -> protocol.Port:
    return protocol.Port(
        id=port.id, network_id=port.network_id, mac=port.mac, fixed_ips=fixed_ips(port), device_id=port.device_id,
        device_owner=port.device_owner,
        server_id=port.device_id if port.device_owner.startswith(COMPUTE) else None,
        admin_state_up=port.admin_state_up, port_security_enabled=port.port_security_enabled,
        security_groups=tuple(port.security_groups),
        allowed_address_pairs=tuple(
            protocol.AddressPair(pair["ip_address"], pair.get("mac_address")) for pair in port.allowed_address_pairs
        ),
        hostname=port.dns_name,
        extra_dhcp_opts=tuple(
            protocol.DhcpOption(one["opt_name"], one["opt_value"], one["ip_version"]) for one in port.extra_dhcp_opts
        ),
    )  # fmt: skip


def group_of(
    group: SecurityGroup, rules: Iterable[SecurityGroupRule], members: Iterable[Port]
) -> protocol.SecurityGroup:
    addresses = {
        ip for port in members
        for ip in (
            *(fixed["ip_address"] for fixed in port.fixed_ips),
            *(pair["ip_address"] for pair in port.allowed_address_pairs),
        )
    }  # fmt: skip
    return protocol.SecurityGroup(
        id=group.id, stateful=group.stateful, rules=tuple(rule_of(rule) for rule in rules),
        members4=tuple(sorted(ip for ip in addresses if ":" not in ip)),
        members6=tuple(sorted(ip for ip in addresses if ":" in ip)),
    )  # fmt: skip


def rule_of(rule: SecurityGroupRule) -> protocol.SecurityGroupRule:
    return protocol.SecurityGroupRule(
        id=rule.id, direction=rule.direction, ethertype=rule.ethertype, protocol=rule.protocol,
        port_range_min=rule.port_range_min, port_range_max=rule.port_range_max,
        remote_ip_prefix=rule.remote_ip_prefix, remote_group_id=rule.remote_group_id,
    )  # fmt: skip


def router_of(
    router: Router, gateway: Port | None, legs: Sequence[Port], cidrs: dict[str, str], floating: Sequence[FloatingIp]
) -> protocol.Router:
    return protocol.Router(
        id=router.id, admin_state_up=router.admin_state_up, enable_snat=router.enable_snat,
        gateway=None if gateway is None else protocol.RouterGateway(
            gateway.id, gateway.network_id, gateway.mac, fixed_ips(gateway)
        ),
        interfaces=tuple(
            protocol.RouterInterface(
                leg.id, leg.network_id, leg.mac, fixed["ip_address"], cidrs[fixed["subnet_id"]], fixed["subnet_id"]
            )
            for leg in legs for fixed in leg.fixed_ips
        ),
        routes=tuple(protocol.HostRoute(one["destination"], one["nexthop"]) for one in router.routes),
        floating_ips=tuple(
            protocol.FloatingIp(one.id, one.floating_ip_address, one.fixed_ip_address, one.port_id or "")
            for one in floating if one.fixed_ip_address is not None
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of a host's network driver, as the host tells it."""

    at: str
    duration_ms: float
    message: str
    """Why it failed; empty when it did not."""
    objects: tuple[tuple[str, str, str], ...]
    """Kind, id and whether it was made, changed or removed."""
    more: int
    """Objects beside these."""


STEP_OBJECTS_MOST = 100
LONGEST_STEP_MS = 86_400_000.0


def step_of(found: Any) -> Step:
    try:
        clock.parse(str(found["at"]))
        failed = found.get("outcome") != "done"
        return Step(
            at=str(found["at"])[:27], duration_ms=min(max(float(found["duration_ms"]), 0.0), LONGEST_STEP_MS),
            message=(str(found.get("message") or "")[:2000] or "The host gave no reason.") if failed else "",
            objects=tuple(
                (str(one["kind"])[:32], str(one["id"])[:64], str(one["does"])[:16])
                for one in found["objects"][:STEP_OBJECTS_MOST]
            ),
            more=int(found.get("more") or 0),
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequest(f"A step of the host's network is malformed: {error!r}.") from None
