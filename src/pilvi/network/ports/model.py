"""A port: one plug of a network, with its addresses and who uses it."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pilvi.kernel import ids
from pilvi.network.standard.model import Standard, invalid

DHCP, GATEWAY, INTERFACE, FLOATING = (
    "network:dhcp", "network:router_gateway", "network:router_interface", "network:floatingip",
)  # fmt: skip
ROUTER_OWNERS = (INTERFACE, GATEWAY)
SERVICE_OWNERS = (DHCP, "network:distributed")
"""Ports that the cloud made for itself; they go with their network."""
OWNED_BY_CLOUD = (*ROUTER_OWNERS, FLOATING)

ADDRESS_PAIRS_LIMIT, DHCP_OPTIONS_LIMIT, GROUPS_LIMIT = 10, 20, 50
STATION = re.compile(r"^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$")
VNIC_TYPES = ("normal",)


@dataclass(slots=True, kw_only=True)
class Port(Standard):
    network_id: str
    mac: str
    admin_state_up: bool
    status: str
    device_id: str
    device_owner: str
    host: str
    """Where it is bound; empty when nowhere."""
    host_revision: int
    """The revision of that host's wanted state with which the binding came: what an older report says of it is old."""
    vnic_type: str
    profile: dict[str, Any]
    fixed_ips: list[dict[str, str]]
    security_groups: list[str]
    port_security_enabled: bool
    allowed_address_pairs: list[dict[str, str]]
    extra_dhcp_opts: list[dict[str, Any]]
    dns_name: str
    dns_domain: str
    nic_tag: str | None
    attached: bool
    """Compute gave it to a server; a device_id alone anybody can write."""
    made_by_compute: bool

    @property
    def is_guest(self) -> bool:
        return not self.device_owner.startswith("network:")

    def address(self, version: int) -> str | None:
        return next((f["ip_address"] for f in self.fixed_ips if (":" in f["ip_address"]) == (version == 6)), None)


def new_mac() -> str:
    return "fa:16:3e:" + ids.random_bytes(3).hex(":")


def check_mac(text: str) -> str:
    mac = text.lower().replace("-", ":")
    if not STATION.match(mac):
        raise invalid(f"'{text}' is not a valid MAC address of one station.")
    return mac


def check_pairs(pairs: Sequence[dict[str, str]], mac: str) -> list[dict[str, str]]:
    if len(pairs) > ADDRESS_PAIRS_LIMIT:
        raise invalid(f"Exceeded maximum amount of address pairs {ADDRESS_PAIRS_LIMIT}.")
    found: list[dict[str, str]] = []
    for pair in pairs:
        if set(pair) - {"ip_address", "mac_address"} or "ip_address" not in pair:
            raise invalid(f"AllowedAddressPair must contain ip_address, and may contain mac_address: {pair}.")
        try:
            ipaddress.ip_network(pair["ip_address"], strict=False)
        except ValueError as error:
            raise invalid(f"allowed_address_pairs: {error}.") from None
        one = {"mac_address": check_mac(pair.get("mac_address") or mac), "ip_address": pair["ip_address"]}
        if one in found:
            raise invalid("Request contains duplicate address pair: " + f"{one['mac_address']} {one['ip_address']}.")
        found.append(one)
    return found


def check_dhcp_options(options: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(options) > DHCP_OPTIONS_LIMIT:
        raise invalid(f"A port has {DHCP_OPTIONS_LIMIT} extra DHCP options at most.")
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for option in options:
        name, value = option.get("opt_name"), option.get("opt_value")
        if not isinstance(name, str) or not name or set(option) - {"opt_name", "opt_value", "ip_version"}:
            raise invalid(f"Invalid extra_dhcp_opts entry {option}: it has opt_name, opt_value and ip_version.")
        try:
            version = int(option.get("ip_version") or 4)
        except (TypeError, ValueError):
            version = 0
        if version not in (4, 6):
            raise invalid(f"ip_version of the DHCP option {name} must be 4 or 6.")
        if value is None:
            found.pop((name, version), None)
        else:
            found[name, version] = {"opt_name": name, "opt_value": str(value)[:255], "ip_version": version}
    return list(found.values())


LABEL = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")


def check_dns_name(name: str) -> str:
    if name and not all(LABEL.match(label) for label in name.rstrip(".").split(".")):
        raise invalid(f"'{name}' not a valid PQDN or FQDN. Reason: labels are letters, digits and hyphens.")
    return name


def merged_options(old: list[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Options given replace those of the same name; a null value removes one."""
    return check_dhcp_options([*old, *new])
