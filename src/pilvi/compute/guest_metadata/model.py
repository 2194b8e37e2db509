"""What a guest can read about itself: the `openstack` and `ec2` trees of the metadata service and of the config drive.

Pure: a server and its network cards in, files out. Every version that the listing names is really there, since guests
pick the newest one that they know.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

OPENSTACK_VERSIONS = (
    "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27",
    "2020-10-14", "2025-04-04", "latest",
)  # fmt: skip
EC2_VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04", "latest",
)  # fmt: skip
NETWORK_SINCE, VENDOR2_SINCE, VENDOR_SINCE = "2015-10-15", "2016-10-06", "2013-10-17"


@dataclass(frozen=True, slots=True)
class Guest:
    """What the trees are made of."""

    id: str
    name: str
    hostname: str
    project_id: str
    availability_zone: str
    launch_index: int
    reservation_id: str
    image_id: str
    flavor_name: str
    key_name: str | None
    public_key: str | None
    admin_password: str
    user_data: bytes | None
    metadata: dict[str, str]
    nics: list[Any] = field(default_factory=list)


def files(guest: Guest) -> dict[str, str]:
    """Path → base64 of the content, for everything under `openstack/` and `ec2/`."""
    meta = _text(_meta_data(guest))
    network = _text(network_data(guest))
    vendor = _text({})
    found: dict[str, bytes] = {}
    for version in OPENSTACK_VERSIONS:
        folder = f"openstack/{version}"
        found[f"{folder}/meta_data.json"] = meta
        if guest.user_data is not None:
            found[f"{folder}/user_data"] = guest.user_data
        if version >= VENDOR_SINCE:
            found[f"{folder}/vendor_data.json"] = vendor
        if version >= NETWORK_SINCE:
            found[f"{folder}/network_data.json"] = network
        if version >= VENDOR2_SINCE:
            found[f"{folder}/vendor_data2.json"] = vendor
    for version in ("2009-04-04", "latest"):
        found[f"ec2/{version}/meta-data.json"] = _text(ec2(guest))
        if guest.user_data is not None:
            found[f"ec2/{version}/user-data"] = guest.user_data
    return {path: base64.b64encode(content).decode() for path, content in found.items()}


def _text(document: Any) -> bytes:
    return json.dumps(document).encode()


def _meta_data(guest: Guest) -> dict[str, Any]:
    document: dict[str, Any] = {
        "uuid": guest.id,
        "name": guest.name,
        "hostname": guest.hostname,
        "project_id": guest.project_id,
        "availability_zone": guest.availability_zone,
        "launch_index": guest.launch_index,
        "meta": guest.metadata,
        "devices": _devices(guest),
        "dedicated_cpus": [],
    }
    if guest.admin_password:
        document["admin_pass"] = guest.admin_password
    if guest.public_key and guest.key_name:
        document["public_keys"] = {guest.key_name: guest.public_key}
        document["keys"] = [{"name": guest.key_name, "type": "ssh", "data": guest.public_key}]
    return document


def _devices(guest: Guest) -> list[dict[str, Any]]:
    """Cards that the user gave a tag, so that the guest can find them."""
    return [{"type": "nic", "bus": "pci", "mac": nic.mac, "tags": [nic.tag]} for nic in guest.nics if nic.tag]


def network_data(guest: Guest) -> dict[str, Any]:
    """Links, networks and name servers, in the order of the cards."""
    links, networks, services = [], [], []
    for index, nic in enumerate(guest.nics):
        link = f"tap{nic.port_id[:11]}"
        links.append({
            "id": link, "vif_id": nic.port_id, "type": "bridge", "mtu": nic.mtu, "ethernet_mac_address": nic.mac,
        })  # fmt: skip
        for number, fixed in enumerate(nic.fixed_ips):
            networks.append(_network(f"network{index}" if not number else f"network{index}_{number}", link, nic, fixed))
            services += [{"type": "dns", "address": server} for server in fixed.dns_nameservers]
    unique = list({entry["address"]: entry for entry in services}.values())
    return {"links": links, "networks": networks, "services": unique}


def _network(id: str, link: str, nic: Any, fixed: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": id, "link": link, "network_id": nic.network_id,
        "type": f"ipv{fixed.version}_dhcp" if fixed.dhcp and fixed.version == 4 else f"ipv{fixed.version}",
        "services": [{"type": "dns", "address": server} for server in fixed.dns_nameservers],
    }  # fmt: skip
    if entry["type"].endswith("_dhcp"):
        return entry
    _, _, prefix = fixed.cidr.partition("/")
    entry |= {"ip_address": fixed.ip, "netmask": _netmask(int(prefix), fixed.version), "routes": _routes(fixed)}
    return entry


def _netmask(prefix: int, version: int) -> str:
    import ipaddress

    any_network = "0.0.0.0" if version == 4 else "::"  # noqa: S104 not an address to bind
    return str(ipaddress.ip_network(f"{any_network}/{prefix}").netmask)


def _routes(fixed: Any) -> list[dict[str, str]]:
    routes = []
    if fixed.gateway_ip:
        nowhere = ("0.0.0.0", "0.0.0.0") if fixed.version == 4 else ("::", "::")  # noqa: S104 as above
        routes.append({"network": nowhere[0], "netmask": nowhere[1], "gateway": fixed.gateway_ip})
    for destination, nexthop in fixed.routes:
        network, _, prefix = destination.partition("/")
        routes.append({"network": network, "netmask": _netmask(int(prefix), fixed.version), "gateway": nexthop})
    return routes


def ec2(guest: Guest) -> dict[str, Any]:
    """The tree under `/<version>/meta-data/`: nested objects are folders."""
    fixed = [f.ip for nic in guest.nics for f in nic.fixed_ips if f.version == 4]
    floating = [ip for nic in guest.nics for ip in nic.floating_ips]
    number = f"i-{guest.id.replace('-', '')[:8]}"
    tree: dict[str, Any] = {
        "ami-id": f"ami-{guest.image_id[:8] or '00000000'}",
        "ami-launch-index": guest.launch_index,
        "ami-manifest-path": "",
        "block-device-mapping": {"ami": "vda", "root": "/dev/vda"},
        "hostname": guest.hostname,
        "instance-action": "none",
        "instance-id": number,
        "instance-type": guest.flavor_name,
        "local-hostname": guest.hostname,
        "local-ipv4": fixed[0] if fixed else "",
        "placement": {"availability-zone": guest.availability_zone},
        "public-hostname": guest.hostname,
        "public-ipv4": floating[0] if floating else "",
        "reservation-id": guest.reservation_id,
        "security-groups": sorted({name for nic in guest.nics for name in nic.security_groups}),
    }
    if guest.public_key and guest.key_name:
        tree["public-keys"] = {"0": {"_name": guest.key_name, "openssh-key": guest.public_key}}
    return tree
