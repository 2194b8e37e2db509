"""Ports come to hosts, and with the first of them the port on which a network answers DHCP and metadata."""

from pilvi.kernel import hosts
from pilvi.kernel.db import Tx
from pilvi.network.addresses import service as addresses
from pilvi.network.addresses.model import Wish
from pilvi.network.networks import service as networks
from pilvi.network.ports import store
from pilvi.network.ports.model import DHCP, ROUTER_OWNERS, Port
from pilvi.network.ports.service.plugs import exchange, make, set_addresses
from pilvi.network.ports.service.touching import touch, touch_networks
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import Subnet


def bind(tx: Tx, port: Port, host: str) -> Port:
    """The port is to be on this host; it is DOWN until the host says that it is there."""
    if port.host and port.host != host:
        hosts.changed(tx, port.host)
    hosts.changed(tx, host)
    known = hosts.find(tx, host)
    revision = known.revision if known is not None else 0
    changes = {"host": host, "host_revision": revision, "status": "DOWN"}
    store.change(tx, port.id, changes)
    for name, value in changes.items():
        setattr(port, name, value)
    if port.device_owner not in ROUTER_OWNERS:
        ensure_service_port(tx, port.network_id)
    touch(tx, port)
    return port


def unbind(tx: Tx, port: Port) -> Port:
    touch(tx, port)
    changes = {"host": "", "host_revision": 0, "status": "DOWN"}
    store.change(tx, port.id, changes)
    for name, value in changes.items():
        setattr(port, name, value)
    return port


def ensure_service_port(tx: Tx, network_id: str) -> None:
    """A network with guests and DHCP has a port for its own services, with an address in each of those subnets."""
    network = networks.find(tx, network_id)
    if network is None or store.service_ports(tx, [network_id]):
        return
    tx.lock("service port", network_id)
    served = [subnet for subnet in subnets.of_networks(tx, [network_id]) if subnet.enable_dhcp]
    if served and not store.service_ports(tx, [network_id]):
        make(
            tx, network, project_id=network.project_id, device_id=f"dhcp-{network_id}", device_owner=DHCP,
            wishes=[Wish(subnet.id) for subnet in served], status="ACTIVE",
        )  # fmt: skip
        touch_networks(tx, [network_id])  # Hosts with a router's leg only have the network already.


def serve_subnet(tx: Tx, subnet: Subnet, *, on: bool) -> None:
    """The service port gets or loses its address in a subnet."""
    for port in store.service_ports(tx, [subnet.network_id]):
        has = any(fixed["subnet_id"] == subnet.id for fixed in port.fixed_ips)
        if on and not has:
            added = exchange(tx, port, [], [Wish(subnet.id)])
            set_addresses(tx, port, port.fixed_ips + [one for one in added if one["subnet_id"] == subnet.id])
        elif has and not on:
            leave(tx, port, subnet)


def leave(tx: Tx, port: Port, subnet: Subnet) -> None:
    gone = [fixed["ip_address"] for fixed in port.fixed_ips if fixed["subnet_id"] == subnet.id]
    addresses.release(tx, port.id, gone)
    set_addresses(tx, port, [fixed for fixed in port.fixed_ips if fixed["subnet_id"] != subnet.id])
