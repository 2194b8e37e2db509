"""The verbs of ports, and what other rooms need of them: plugs made, bound and given back."""

from pilvi.network.ports import store
from pilvi.network.ports.service import surroundings as surroundings  # It listens to subnets and networks.
from pilvi.network.ports.service.binding import bind, unbind
from pilvi.network.ports.service.plugs import make, moving, remove, removing, set_device, set_groups
from pilvi.network.ports.service.verbs import create, delete, get, list_, show, update
from pilvi.network.quotas import service as quotas

__all__ = [
    "bind", "create", "delete", "get", "list_", "make", "moving", "remove", "removing", "set_device", "set_groups",
    "show", "unbind", "update",
]  # fmt: skip

quotas.usage["port"] = store.count

find = store.find
find_many = store.find_many
change = store.change
of_networks = store.of_networks
of_devices = store.of_devices
of_servers = store.of_servers
on_host = store.on_host
in_groups = store.in_groups
service_ports = store.service_ports
with_ip = store.with_ip
guests_with_addresses = store.guests_with_addresses
observe = store.observe
