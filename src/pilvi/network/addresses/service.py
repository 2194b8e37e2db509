"""Giving addresses to ports and taking them back, in the caller's transaction."""

import ipaddress
from collections.abc import Sequence

from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict, Fault
from pilvi.network.addresses import store
from pilvi.network.addresses.model import Allocation, Wish, eui64, ranges_of
from pilvi.network.standard.model import conflict, invalid
from pilvi.network.subnets.model import Subnet

FIXED_IPS_LIMIT = 32

Fixed = dict[str, str]
"""As the API shows it: subnet_id and ip_address."""

counts = store.counts
release = store.release
forget_subnet = store.forget_subnet
of_subnet = store.of_subnet
ports_with = store.ports_with


def allocate(
    tx: Tx, *, port_id: str, network_id: str, mac: str, device_owner: str, subnets: Sequence[Subnet],
    wishes: Sequence[Wish] | None,
) -> list[Fixed]:  # fmt: skip
    """Addresses for a port, in the order in which the API shows them. Without wishes: one of each IP version."""
    if wishes is not None:
        if len(wishes) > FIXED_IPS_LIMIT:
            raise invalid(f"A port has {FIXED_IPS_LIMIT} fixed IPs at most.")
        fixed = [_wished(tx, port_id, network_id, mac, device_owner, subnets, wish) for wish in wishes]
        chosen = {one["subnet_id"] for one in fixed}
        if not fixed or _is_for_router(device_owner):
            return fixed
        automatic = [subnet for subnet in subnets if subnet.is_auto_address and subnet.id not in chosen]
    else:
        fixed = _any(tx, port_id, network_id, device_owner, subnets)
        automatic = [subnet for subnet in subnets if subnet.is_auto_address]
    if not _is_for_router(device_owner):
        fixed += [self_made(tx, port_id, subnet, mac) for subnet in automatic]
    return fixed


def _is_for_router(device_owner: str) -> bool:
    return device_owner.startswith("network:router") or device_owner == "network:floatingip"


def _any(tx: Tx, port_id: str, network_id: str, device_owner: str, subnets: Sequence[Subnet]) -> list[Fixed]:
    """One address of each version from the first subnet that has one left."""
    fixed = []
    for version in (4, 6):
        possible = [s for s in subnets if s.ip_version == version and _suits(s, device_owner)]
        if not possible:
            continue
        for subnet in possible:
            ip = store.take(tx, subnet.id, ranges_of(subnet))
            if ip is not None:
                fixed.append(_keep(tx, port_id, subnet, ip))
                break
        else:
            raise _exhausted(network_id, device_owner)
    return fixed


def _suits(subnet: Subnet, device_owner: str) -> bool:
    if subnet.service_types and device_owner not in subnet.service_types:
        return False
    return not subnet.is_auto_address or _is_for_router(device_owner)


def _exhausted(network_id: str, device_owner: str) -> Conflict:
    if device_owner in ("network:floatingip", "network:router_gateway"):
        text = f"Unable to allocate any IP address from the subnets of external network {network_id}."
        return conflict("ExternalIpAddressExhausted", text)
    return conflict("IpAddressGenerationFailure", f"No more IP addresses available on network {network_id}.")


def _wished(
    tx: Tx, port_id: str, network_id: str, mac: str, device_owner: str, subnets: Sequence[Subnet], wish: Wish
) -> Fixed:
    subnet = _subnet_for(wish, network_id, subnets)
    if wish.ip is None:
        if subnet.is_auto_address and not _is_for_router(device_owner):
            return self_made(tx, port_id, subnet, mac)
        ip = store.take(tx, subnet.id, ranges_of(subnet))
        if ip is None:
            raise _exhausted(network_id, device_owner)
        return _keep(tx, port_id, subnet, ip)
    ip = str(ipaddress.ip_address(wish.ip))
    if subnet.is_auto_address and not _is_for_router(device_owner) and ip != eui64(subnet.cidr, mac):
        raise invalid(
            f"IPv6 address {ip} can not be directly assigned to a port on subnet {subnet.id} since the subnet is "
            "configured for automatic addresses"
        )
    if not subnet.can_hold(ip):
        raise _wrong(ip, f"IP address {ip} is not a valid IP for the specified subnet.", "InvalidIpForSubnet")
    tx.lock("subnet", subnet.id)
    return _keep(tx, port_id, subnet, ip)


def _subnet_for(wish: Wish, network_id: str, subnets: Sequence[Subnet]) -> Subnet:
    if wish.subnet_id is not None:
        subnet = next((one for one in subnets if one.id == wish.subnet_id), None)
        if subnet is None:
            raise invalid(
                f"Failed to create port on network {network_id}, because fixed_ips included invalid subnet "
                f"{wish.subnet_id}"
            )
        return subnet
    if wish.ip is None:
        raise invalid("IP allocation requires subnet_id or ip_address")
    address = ipaddress.ip_address(wish.ip)
    for subnet in subnets:
        if address in ipaddress.ip_network(subnet.cidr):
            return subnet
    text = f"IP address {wish.ip} is not a valid IP for any of the subnets on the specified network."
    raise _wrong(wish.ip, text, "InvalidIpForNetwork")


def _wrong(ip: str, text: str, type: str) -> Fault:
    fault = invalid(text)
    fault.type, fault.message = type, text
    return fault


def self_made(tx: Tx, port_id: str, subnet: Subnet, mac: str) -> Fixed:
    return _keep(tx, port_id, subnet, eui64(subnet.cidr, mac))


def _keep(tx: Tx, port_id: str, subnet: Subnet, ip: str) -> Fixed:
    taken = conflict("IpAddressAlreadyAllocated", f"IP address {ip} already allocated in subnet {subnet.id}")
    store.add(tx, Allocation(subnet.id, ip, port_id, subnet.network_id), taken)
    return {"subnet_id": subnet.id, "ip_address": ip}


def parse(value: dict[str, object]) -> Wish:
    """A fixed_ips entry as it came in."""
    ip = value.get("ip_address")
    if ip is not None:
        try:
            ip = str(ipaddress.ip_address(str(ip)))
        except ValueError:
            raise invalid(f"'{ip}' is not a valid IP address.") from None
    subnet_id = value.get("subnet_id")
    return Wish(None if subnet_id is None else str(subnet_id), None if ip is None else str(ip))
