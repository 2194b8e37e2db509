"""What clients ask of ports."""

from typing import Any

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
    OWNED_BY_CLOUD,
    Port,
    check_dhcp_options,
    check_dns_name,
    check_mac,
    check_pairs,
    merged_options,
)
from pilvi.network.ports.service.binding import bind, unbind
from pilvi.network.ports.service.plugs import exchange, free_mac, make, remove
from pilvi.network.ports.service.touching import touch
from pilvi.network.quotas import service as quotas
from pilvi.network.security_groups import service as groups
from pilvi.network.standard.model import conflict, invalid, missing
from pilvi.network.standard.service import check_attributes, check_revision
from pilvi.network.tags.model import check_tags


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
    _check_owner(ctx, owner, target)
    wishes = _wishes(ctx, values["fixed_ips"], target)
    quotas.reserve(tx, project_id, "port")
    mac = check_mac(values["mac_address"]) if values["mac_address"] else free_mac(tx, network.id)
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


def _check_owner(ctx: Context, device_owner: str, target: dict[str, Any]) -> None:
    """Whose port it is decides what it is wired to: the legs of routers are made by routers and by nobody else."""
    if device_owner in OWNED_BY_CLOUD:
        raise invalid(f"device_owner {device_owner} is set by adding the port to a router, not directly.")
    if device_owner.startswith("network:"):
        policy.SERVICE_OWNER.check(ctx, **target)


def _check_device(ctx: Context, port: Port, changes: dict[str, Any], target: dict[str, Any]) -> None:
    """A port that serves a server or a router does so until compute or the router lets go of it."""
    new = {name: value for name, value in changes.items() if name in ("device_id", "device_owner")}
    if all(getattr(port, name) == value for name, value in new.items()):
        return
    if port.attached or port.device_owner in OWNED_BY_CLOUD:
        raise conflict(
            "PortInUse", f"Unable to complete operation on port {port.id} for network {port.network_id}. Port already "
            f"has an attached device {port.device_id}."
        )  # fmt: skip
    _check_owner(ctx, new.get("device_owner", port.device_owner), target)


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
    _check_device(ctx, port, changes, target)
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
    return kept + exchange(tx, port, left, new)


def _same(fixed: dict[str, str], wish: Wish) -> bool:
    return (wish.ip is None or wish.ip == fixed["ip_address"]) and wish.subnet_id in (None, fixed["subnet_id"])


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
