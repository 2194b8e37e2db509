"""The verbs of ports, and what other rooms need of them: plugs made, bound and given back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pilvi.kernel import hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.addresses import service as addresses
from pilvi.network.addresses.model import Wish
from pilvi.network.networks import service as networks
from pilvi.network.networks.model import Network
from pilvi.network.ports import policy, store
from pilvi.network.ports.model import (
    DHCP,
    OWNED_BY_CLOUD,
    ROUTER_OWNERS,
    SERVICE_OWNERS,
    Port,
    check_dhcp_options,
    check_dns_name,
    check_mac,
    check_pairs,
    merged_options,
    new_mac,
)
from pilvi.network.quotas import service as quotas
from pilvi.network.security_group_rules import service as rules
from pilvi.network.security_groups import service as groups
from pilvi.network.standard.model import conflict, fresh, invalid, missing, tags_text
from pilvi.network.standard.service import check_attributes, check_revision
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import Subnet
from pilvi.network.tags.model import check_tags

MAC_TRIES = 16

removing: list[Callable[[Tx, Port], None]] = []
"""Told that a port goes: floating IPs let go of it."""
moving: list[Callable[[Tx, Port, list[str]], None]] = []
"""Told that a port loses these addresses: floating IPs let go of them."""

quotas.usage["port"] = store.count

find = store.find
find_many = store.find_many
change = store.change
of_networks = store.of_networks
of_devices = store.of_devices
on_host = store.on_host
in_groups = store.in_groups
service_ports = store.service_ports
with_ip = store.with_ip
guests_with_addresses = store.guests_with_addresses
observe = store.observe


# ---- telling hosts -----------------------------------------------------------------------------------------------


def touch_networks(tx: Tx, network_ids: Iterable[str]) -> None:
    """Every host where such a network is must look again."""
    for host in store.hosts_of_networks(tx, list(network_ids)):
        hosts.changed(tx, host)


def touch_groups(tx: Tx, group_ids: set[str]) -> None:
    """The rules of groups changed: hosts that enforce them, or rules about them, must look again."""
    told = group_ids | rules.referring(tx, list(group_ids))
    for host in store.hosts_of_groups(tx, list(told)):
        hosts.changed(tx, host)


def touch(tx: Tx, port: Port, *, members: bool = True) -> None:
    """A port changed: its own host, and those whose rules know its group by its addresses."""
    if not port.host:
        return
    hosts.changed(tx, port.host)
    if members and port.security_groups:
        referring = rules.referring(tx, port.security_groups)
        for host in store.hosts_of_groups(tx, list(referring)) if referring else []:
            hosts.changed(tx, host)


groups.changed.append(touch_groups)
networks.changed.append(lambda tx, network_id: touch_networks(tx, [network_id]))


# ---- finding -----------------------------------------------------------------------------------------------------


def get(ctx: Context, tx: Tx, id: str) -> tuple[Port, str]:
    """A port that the caller may see and its network's project, else PortNotFound."""
    found = store.find(tx, id)
    network = networks.find(tx, found.network_id) if found is not None else None
    if found is None or network is None:
        raise missing("Port", id)
    if not policy.SHOW.allows(ctx, project_id=found.project_id, network_project_id=network.project_id):
        raise missing("Port", id)
    return found, network.project_id


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Port]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    everything = ctx.is_admin or "service" in ctx.roles
    where = [] if everything else [store.visible(ctx.project_id, networks.owned(tx, ctx.project_id))]
    return store.page(tx, query, where)


def show(ctx: Context, tx: Tx, id: str) -> Port:
    return get(ctx, tx, id)[0]


# ---- making ------------------------------------------------------------------------------------------------------


def make(
    tx: Tx, network: Network, *, project_id: str, device_id: str = "", device_owner: str = "",
    wishes: Sequence[Wish] | None = None, mac: str | None = None, security_groups: Sequence[str] = (),
    **values: Any,
) -> Port:  # fmt: skip
    """A port with its addresses. No rights, no quota: callers have asked."""
    rest: dict[str, Any] = {
        "admin_state_up": True, "status": "DOWN", "host": "", "host_revision": 0, "vnic_type": "normal",
        "profile": {}, "port_security_enabled": False, "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "dns_name": "", "dns_domain": "", "nic_tag": None, "made_by_compute": False,
    } | values  # fmt: skip
    standard = fresh(project_id, name=rest.pop("name", ""), description=rest.pop("description", ""))
    standard["tags"] = tags_text(rest.pop("tags", []))
    mac = _free_mac(tx, network.id) if mac is None else mac
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


def _free_mac(tx: Tx, network_id: str) -> str:
    for _ in range(MAC_TRIES):
        mac = new_mac()
        if not store.mac_exists(tx, network_id, mac):
            return mac
    raise conflict("MacAddressGenerationFailure", f"Unable to generate unique mac on network {network_id}.")


def create(ctx: Context, tx: Tx, project_id: str, values: dict[str, Any], *, given: frozenset[str]) -> Port:
    network = networks.get(ctx, tx, values["network_id"])
    policy.CREATE.check(ctx, project_id=project_id)
    _check_attached(ctx, network)
    target: dict[str, Any] = {"project_id": project_id, "network_project_id": network.project_id}
    told = [name for name in given if values[name] not in (None, "", [], {})]
    if "port_security_enabled" in given and values["port_security_enabled"] == network.port_security_enabled:
        told = [name for name in told if name != "port_security_enabled"]
    check_attributes(ctx, policy.CREATE_ATTRIBUTES, told, **target)
    owner = values["device_owner"] or ""
    if owner.startswith("network:"):
        policy.SERVICE_OWNER.check(ctx, **target)
    wishes = _wishes(ctx, values["fixed_ips"], target)
    quotas.reserve(tx, project_id, "port")
    mac = check_mac(values["mac_address"]) if values["mac_address"] else _free_mac(tx, network.id)
    secure = _secure(values["port_security_enabled"], network, owner)
    port = make(
        tx, network, project_id=project_id, device_id=values["device_id"] or "", device_owner=owner, wishes=wishes,
        mac=mac, security_groups=_groups(ctx, tx, values["security_groups"], project_id, secure, wishes),
        name=values["name"], description=values["description"], tags=check_tags(values["tags"]),
        admin_state_up=values["admin_state_up"], port_security_enabled=secure,
        allowed_address_pairs=_pairs(values["allowed_address_pairs"] or [], mac, secure),
        extra_dhcp_opts=check_dhcp_options(values["extra_dhcp_opts"] or []),
        dns_name=check_dns_name(values["dns_name"]), dns_domain=values["dns_domain"],
        vnic_type=values["vnic_type"], profile=values["profile"] or {},
    )  # fmt: skip
    if values["host"]:
        port = bind(tx, port, values["host"])
    ctx.about("port", port.id, port.name)
    return port


def _check_attached(ctx: Context, network: Network) -> None:
    """An external network is for gateways and floating IPs, not for everybody's servers."""
    if network.external and not (ctx.is_admin or network.shared or network.project_id == ctx.project_id):
        raise Forbidden(
            f"It is not allowed to create an interface on external network {network.id}", type="PolicyNotAuthorized"
        )


def _wishes(ctx: Context, fixed_ips: list[dict[str, Any]] | None, target: dict[str, Any]) -> list[Wish] | None:
    if fixed_ips is None:
        return None
    found = [addresses.parse(value) for value in fixed_ips]
    if any(wish.ip is not None for wish in found):
        policy.FIXED_ADDRESS.check(ctx, **target)
    return found


def _secure(asked: bool | None, network: Network, device_owner: str) -> bool:
    if device_owner.startswith("network:"):
        return False
    return network.port_security_enabled if asked is None else asked


def _groups(
    ctx: Context, tx: Tx, asked: list[str] | None, project_id: str, secure: bool, wishes: list[Wish] | None
) -> list[str]:
    if not secure or (wishes is not None and not wishes):
        if asked:
            raise BadRequest(
                "Port security must be enabled and port must have an IP address in order to use security groups.",
                type="PortSecurityAndIPRequiredForSecurityGroups",
            )
        if not secure:
            return []
    if asked is None:
        return [groups.ensure_default(tx, project_id)]
    groups.check_usable(ctx, tx, asked, project_id)
    return asked


def _pairs(asked: list[dict[str, str]], mac: str, secure: bool) -> list[dict[str, str]]:
    if asked and not secure:
        raise conflict(
            "AddressPairAndPortSecurityRequired", "Port Security must be enabled in order to have allowed address "
            "pairs on a port."
        )  # fmt: skip
    return check_pairs(asked, mac)


# ---- changing ----------------------------------------------------------------------------------------------------


def update(ctx: Context, tx: Tx, id: str, values: dict[str, Any]) -> Port:
    port, network_project_id = get(ctx, tx, id)
    target: dict[str, Any] = {"project_id": port.project_id, "network_project_id": network_project_id}
    policy.UPDATE.check(ctx, **target)
    check_revision(ctx, port)
    current = {"mac_address": port.mac, "host": port.host, "profile": port.profile} | {
        name: getattr(port, name) for name in ("port_security_enabled", "allowed_address_pairs")
    }
    differing = [name for name, value in values.items() if current.get(name) != value]
    check_attributes(ctx, policy.UPDATE_ATTRIBUTES, differing, **target)
    changes = _changes(ctx, tx, port, values, target)
    host = values.get("host")
    touch(tx, port)
    if changes:
        store.change(tx, id, changes)
    found = store.find(tx, id)
    assert found is not None
    if "security_groups" in changes:
        groups.unbind(tx, id)
        groups.bind(tx, id, found.security_groups)
    if "host" in values and (host or "") != port.host:
        found = bind(tx, found, host) if host else unbind(tx, found)
    touch(tx, found)
    ctx.about("port", id, found.name)
    return found


def _changes(ctx: Context, tx: Tx, port: Port, values: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """The columns that a request changes, checked against each other."""
    plain = ("name", "description", "admin_state_up", "dns_domain", "vnic_type")
    changes = {name: values[name] for name in plain if name in values}
    changes |= {name: values[name] or "" for name in ("device_id", "device_owner") if name in values}
    if changes.get("device_owner", "").startswith("network:") and changes["device_owner"] != port.device_owner:
        policy.SERVICE_OWNER.check(ctx, **target)
    if "dns_name" in values:
        changes["dns_name"] = check_dns_name(values["dns_name"])
    if "profile" in values:
        changes["profile"] = values["profile"] or {}
    if values.get("extra_dhcp_opts") is not None:
        changes["extra_dhcp_opts"] = merged_options(port.extra_dhcp_opts, values["extra_dhcp_opts"])
    if values.get("mac_address") is not None:
        changes["mac"] = _new_mac(tx, port, check_mac(values["mac_address"]))
    if values.get("fixed_ips") is not None:
        changes["fixed_ips"] = _readdress(ctx, tx, port, values["fixed_ips"], target)
    return changes | _security(ctx, tx, port, values, changes)


def _new_mac(tx: Tx, port: Port, mac: str) -> str:
    if mac != port.mac and port.host:
        raise conflict("PortBound", f"Unable to complete operation on port {port.id}, port is already bound.")
    if mac != port.mac and store.mac_exists(tx, port.network_id, mac):
        raise conflict("MacAddressInUse", f"MAC address {mac} is in use on network {port.network_id}.")
    return mac


def _security(ctx: Context, tx: Tx, port: Port, values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    asked = values.get("port_security_enabled")
    secure = port.port_security_enabled if asked is None else asked
    wanted: list[str] = port.security_groups
    if "security_groups" in values:
        wanted = list(dict.fromkeys(values["security_groups"] or []))
        groups.check_usable(ctx, tx, wanted, port.project_id)
        found["security_groups"] = wanted
    if wanted and not secure:
        raise conflict(
            "PortSecurityPortHasSecurityGroup", "Port has security group associated. Cannot disable port security or "
            "IP address until security group is removed."
        )  # fmt: skip
    pairs = values.get("allowed_address_pairs")
    if pairs is not None:
        found["allowed_address_pairs"] = _pairs(pairs, changes.get("mac", port.mac), secure)
    elif "allowed_address_pairs" in values:
        found["allowed_address_pairs"] = []
    elif not secure and port.allowed_address_pairs:
        _pairs(port.allowed_address_pairs, port.mac, secure)
    return found | ({} if asked is None else {"port_security_enabled": asked})


def _readdress(
    ctx: Context, tx: Tx, port: Port, asked: list[dict[str, Any]], target: dict[str, Any]
) -> list[dict[str, str]]:
    """The new addresses: those that stay are kept, the others given back."""
    wishes = [addresses.parse(value) for value in asked]
    left, kept, new = list(port.fixed_ips), [], []
    for wish in wishes:
        match = next((f for f in left if _same(f, wish)), None)
        if match is not None:
            left.remove(match)
            kept.append(match)
        else:
            new.append(wish)
    if any(wish.ip is not None for wish in new):
        policy.FIXED_ADDRESS.check(ctx, **target)
    return kept + _exchange(tx, port, left, new)


def _same(fixed: dict[str, str], wish: Wish) -> bool:
    return (wish.ip is None or wish.ip == fixed["ip_address"]) and wish.subnet_id in (None, fixed["subnet_id"])


def _exchange(tx: Tx, port: Port, old: list[dict[str, str]], new: list[Wish]) -> list[dict[str, str]]:
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


def delete(ctx: Context, tx: Tx, id: str) -> None:
    port, network_project_id = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=port.project_id, network_project_id=network_project_id)
    check_revision(ctx, port)
    if port.device_owner in OWNED_BY_CLOUD:
        raise conflict(
            "ServicePortInUse", f"Port {id} cannot be deleted directly via the port API: has device owner "
            f"{port.device_owner}."
        )  # fmt: skip
    remove(tx, port)
    ctx.about("port", id, port.name)


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


# ---- binding -----------------------------------------------------------------------------------------------------


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


# ---- the port on which DHCP and metadata answer ------------------------------------------------------------------


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


def _serve_subnet(tx: Tx, subnet: Subnet, *, on: bool) -> None:
    """The service port gets or loses its address in a subnet."""
    for port in store.service_ports(tx, [subnet.network_id]):
        has = any(fixed["subnet_id"] == subnet.id for fixed in port.fixed_ips)
        if on and not has:
            added = _exchange(tx, port, [], [Wish(subnet.id)])
            set_addresses(tx, port, port.fixed_ips + [one for one in added if one["subnet_id"] == subnet.id])
        elif has and not on:
            _leave(tx, port, subnet)


def _leave(tx: Tx, port: Port, subnet: Subnet) -> None:
    gone = [fixed["ip_address"] for fixed in port.fixed_ips if fixed["subnet_id"] == subnet.id]
    addresses.release(tx, port.id, gone)
    set_addresses(tx, port, [fixed for fixed in port.fixed_ips if fixed["subnet_id"] != subnet.id])


# ---- what subnets and networks tell ------------------------------------------------------------------------------


def _subnet_arrived(tx: Tx, network: Network, subnet: Subnet) -> None:
    if subnet.is_auto_address:
        for port in store.of_networks(tx, [network.id]):
            if port.is_guest:
                set_addresses(tx, port, [*port.fixed_ips, addresses.self_made(tx, port.id, subnet, port.mac)])
    if subnet.enable_dhcp:
        _serve_subnet(tx, subnet, on=True)
        if any(port.host and port.is_guest for port in store.of_networks(tx, [network.id])):
            ensure_service_port(tx, network.id)
    touch_networks(tx, [network.id])


def _subnet_changing(tx: Tx, subnet: Subnet, values: dict[str, Any]) -> None:
    if "enable_dhcp" in values and values["enable_dhcp"] != subnet.enable_dhcp:
        _serve_subnet(tx, subnet, on=values["enable_dhcp"])


def _subnet_changed(tx: Tx, subnet: Subnet) -> None:
    if subnet.enable_dhcp and any(port.host and port.is_guest for port in store.of_networks(tx, [subnet.network_id])):
        ensure_service_port(tx, subnet.network_id)
    touch_networks(tx, [subnet.network_id])


def _subnet_leaving(ctx: Context, tx: Tx, subnet: Subnet) -> None:
    """Addresses that the cloud or guests made themselves go with the subnet; any other keeps it."""
    held = {one.port_id for one in addresses.of_subnet(tx, subnet.id)}
    for port in store.find_many(tx, sorted(held)):
        if port.device_owner in SERVICE_OWNERS or (subnet.is_auto_address and port.device_owner not in OWNED_BY_CLOUD):
            _leave(tx, port, subnet)
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


subnets.arrived.append(_subnet_arrived)
subnets.changing.append(_subnet_changing)
subnets.changed.append(_subnet_changed)
subnets.leaving.append(_subnet_leaving)
networks.deleting.append(_network_leaving)


def check_not_service(port: Port) -> None:
    """Somebody's own plug, not one of the cloud's."""
    if port.device_owner.startswith("network:"):
        raise invalid(f"Port {port.id} belongs to {port.device_owner}.")
