"""Plugs made, changed and given back, for every room that needs one. Callers have asked for rights and quota."""

from collections.abc import Callable, Sequence
from typing import Any

from pilvi.kernel.db import Tx
from pilvi.network.addresses import service as addresses
from pilvi.network.addresses.model import Wish
from pilvi.network.networks.model import Network
from pilvi.network.ports import store
from pilvi.network.ports.model import Port, new_mac
from pilvi.network.ports.service.touching import touch
from pilvi.network.security_groups import service as groups
from pilvi.network.standard.model import conflict, fresh, tags_text
from pilvi.network.subnets import service as subnets

MAC_TRIES = 16

removing: list[Callable[[Tx, Port], None]] = []
"""Told that a port goes: floating IPs let go of it."""
moving: list[Callable[[Tx, Port, list[str]], None]] = []
"""Told that a port loses these addresses: floating IPs let go of them."""


def make(
    tx: Tx, network: Network, *, project_id: str, device_id: str = "", device_owner: str = "",
    wishes: Sequence[Wish] | None = None, mac: str | None = None, security_groups: Sequence[str] = (),
    **values: Any,
) -> Port:  # fmt: skip
    """A port with its addresses. No rights, no quota: callers have asked."""
    rest: dict[str, Any] = {
        "admin_state_up": True, "status": "DOWN", "host": "", "host_revision": 0, "vnic_type": "normal",
        "profile": {}, "port_security_enabled": False, "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "dns_name": "", "dns_domain": "", "nic_tag": None, "attached": False, "made_by_compute": False,
    } | values  # fmt: skip
    standard = fresh(project_id, name=rest.pop("name", ""), description=rest.pop("description", ""))
    standard["tags"] = tags_text(rest.pop("tags", []))
    mac = free_mac(tx, network.id) if mac is None else mac
    known = [] if wishes is not None and not wishes else subnets.of_networks(tx, [network.id])
    fixed = addresses.allocate(
        tx, port_id=standard["id"], network_id=network.id, mac=mac, device_owner=device_owner, subnets=known,
        wishes=wishes,
    )  # fmt: skip
    port = Port(
        **standard, network_id=network.id, mac=mac, device_id=device_id, device_owner=device_owner,
        fixed_ips=fixed, security_groups=list(dict.fromkeys(security_groups)), **rest,
    )  # fmt: skip
    store.add(tx, port, conflict("MacAddressInUse", f"MAC address {mac} is in use on network {network.id}."))
    groups.bind(tx, port.id, port.security_groups)
    return port


def free_mac(tx: Tx, network_id: str) -> str:
    for _ in range(MAC_TRIES):
        mac = new_mac()
        if not store.mac_exists(tx, network_id, mac):
            return mac
    raise conflict("MacAddressGenerationFailure", f"Unable to generate unique mac on network {network_id}.")


def exchange(tx: Tx, port: Port, old: list[dict[str, str]], new: list[Wish]) -> list[dict[str, str]]:
    if old:
        gone = [fixed["ip_address"] for fixed in old]
        for tell in moving:
            tell(tx, port, gone)
        addresses.release(tx, port.id, gone)
    if not new:
        return []
    known = subnets.of_networks(tx, [port.network_id])
    plain = [one for one in known if not one.is_auto_address or one.id in {wish.subnet_id for wish in new}]
    return addresses.allocate(
        tx, port_id=port.id, network_id=port.network_id, mac=port.mac, device_owner=port.device_owner,
        subnets=plain, wishes=new,
    )  # fmt: skip


def remove(tx: Tx, port: Port) -> None:
    """Give back a port with all that it held."""
    for tell in removing:
        tell(tx, port)
    touch(tx, port)
    addresses.release(tx, port.id)
    groups.unbind(tx, port.id)
    store.delete(tx, port.id)


def set_addresses(tx: Tx, port: Port, fixed_ips: list[dict[str, str]]) -> None:
    store.change(tx, port.id, {"fixed_ips": fixed_ips})
    port.fixed_ips = fixed_ips
    touch(tx, port)


def set_device(tx: Tx, port: Port, *, device_id: str, device_owner: str, **more: Any) -> Port:
    touch(tx, port)
    store.change(tx, port.id, {"device_id": device_id, "device_owner": device_owner, **more})
    found = store.find(tx, port.id)
    assert found is not None
    touch(tx, found)
    return found


def set_groups(tx: Tx, port: Port, wanted: list[str]) -> None:
    touch(tx, port)
    store.change(tx, port.id, {"security_groups": wanted})
    groups.unbind(tx, port.id)
    groups.bind(tx, port.id, wanted)
    port.security_groups = wanted
    touch(tx, port)
