"""What happens to ports when their subnets and networks come, change and go."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.network.addresses import service as addresses
from pilvi.network.networks import service as networks
from pilvi.network.networks.model import Network
from pilvi.network.ports import store
from pilvi.network.ports.model import OWNED_BY_CLOUD, SERVICE_OWNERS
from pilvi.network.ports.service.binding import ensure_service_port, leave, serve_subnet
from pilvi.network.ports.service.plugs import remove, set_addresses
from pilvi.network.ports.service.touching import touch_networks
from pilvi.network.rbac_policies import service as rbac
from pilvi.network.rbac_policies.model import EVERYBODY, SHARED, RbacPolicy
from pilvi.network.standard.model import conflict
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import Subnet


def _subnet_arrived(tx: Tx, network: Network, subnet: Subnet) -> None:
    if subnet.is_auto_address:
        for port in store.of_networks(tx, [network.id]):
            if port.is_guest:
                set_addresses(tx, port, [*port.fixed_ips, addresses.self_made(tx, port.id, subnet, port.mac)])
    if subnet.enable_dhcp:
        serve_subnet(tx, subnet, on=True)
        if any(port.host and port.is_guest for port in store.of_networks(tx, [network.id])):
            ensure_service_port(tx, network.id)
    touch_networks(tx, [network.id])


def _subnet_changing(tx: Tx, subnet: Subnet, values: dict[str, Any]) -> None:
    if "enable_dhcp" in values and values["enable_dhcp"] != subnet.enable_dhcp:
        serve_subnet(tx, subnet, on=values["enable_dhcp"])


def _subnet_changed(tx: Tx, subnet: Subnet) -> None:
    if subnet.enable_dhcp and any(port.host and port.is_guest for port in store.of_networks(tx, [subnet.network_id])):
        ensure_service_port(tx, subnet.network_id)
    touch_networks(tx, [subnet.network_id])


def _subnet_leaving(ctx: Context, tx: Tx, subnet: Subnet) -> None:
    """Addresses that the cloud or guests made themselves go with the subnet; any other keeps it."""
    held = {one.port_id for one in addresses.of_subnet(tx, subnet.id)}
    for port in store.find_many(tx, sorted(held)):
        if port.device_owner in SERVICE_OWNERS or (subnet.is_auto_address and port.device_owner not in OWNED_BY_CLOUD):
            leave(tx, port, subnet)
    touch_networks(tx, [subnet.network_id])


def _network_leaving(ctx: Context, tx: Tx, network: Network) -> None:
    """A network goes with its subnets and the cloud's own ports, unless anything else is plugged in."""
    present = store.of_networks(tx, [network.id])
    if any(port.device_owner not in SERVICE_OWNERS for port in present):
        raise conflict(
            "NetworkInUse", f"Unable to complete operation on network {network.id}. There are one or more ports still "
            f"in use on the network, id for these ports is: "
            f"{', '.join(p.id for p in present[:10] if p.device_owner not in SERVICE_OWNERS)}."
        )  # fmt: skip
    for port in present:
        remove(tx, port)
    subnets.delete_with_network(ctx, tx, network)


def _sharing_ends(tx: Tx, one: RbacPolicy) -> None:
    """A project whose ports are on a network goes on needing it."""
    if one.object_type != "network" or one.action != SHARED:
        return
    network = networks.find(tx, one.object_id)
    others = store.projects_on(tx, one.object_id) - {network.project_id if network is not None else ""}
    for other in rbac.of_object(tx, one.object_id):
        if other.id != one.id and other.action == SHARED:
            others = set() if other.target_project == EVERYBODY else others - {other.target_project}
    if others and one.target_project in {EVERYBODY, *others}:
        text = f"RBAC policy on object {one.object_id} cannot be removed because other objects depend on it: ports of "
        raise conflict("RbacPolicyInUse", f"{text}{', '.join(sorted(others)[:10])}.")


rbac.withdrawn.append(_sharing_ends)
subnets.arrived.append(_subnet_arrived)
subnets.changing.append(_subnet_changing)
subnets.changed.append(_subnet_changed)
subnets.leaving.append(_subnet_leaving)
networks.deleting.append(_network_leaving)
