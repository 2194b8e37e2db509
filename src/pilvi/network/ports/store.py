"""The only SQL for ports."""

import ipaddress
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.errors import BadRequest, Conflict
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.addresses import service as addresses
from pilvi.network.ports.model import SERVICE_OWNERS, Port
from pilvi.network.security_groups import service as groups
from pilvi.network.standard import store as standard

ports = sa.Table(
    "network_ports",
    metadata,
    *standard.columns(),
    sa.Column("network_id", sa.String(36), nullable=False),
    sa.Column("mac", sa.String(17), nullable=False),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("device_id", sa.String(255), nullable=False),
    sa.Column("device_owner", sa.String(255), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("host_revision", sa.BigInteger, nullable=False),
    sa.Column("vnic_type", sa.String(32), nullable=False),
    sa.Column("profile", Json, nullable=False),
    sa.Column("fixed_ips", Json, nullable=False),
    sa.Column("security_groups", Json, nullable=False),
    sa.Column("port_security_enabled", sa.Boolean, nullable=False),
    sa.Column("allowed_address_pairs", Json, nullable=False),
    sa.Column("extra_dhcp_opts", Json, nullable=False),
    sa.Column("dns_name", sa.String(255), nullable=False),
    sa.Column("dns_domain", sa.String(255), nullable=False),
    sa.Column("nic_tag", sa.String(64), nullable=True),
    sa.Column("attached", sa.Boolean, nullable=False),
    sa.Column("made_by_compute", sa.Boolean, nullable=False),
    sa.Index("network_ports_by_mac", "network_id", "mac", unique=True),
    sa.Index("network_ports_by_device", "device_id"),
    sa.Index("network_ports_by_project", "project_id"),
    sa.Index("network_ports_by_host", "host"),
)
track(
    ports, "port",
    "name description project_id network_id mac admin_state_up status device_id device_owner host "
    "fixed_ips security_groups port_security_enabled allowed_address_pairs extra_dhcp_opts dns_name tags",
)  # fmt: skip


def _fixed_ips(values: list[str]) -> Any:
    """`fixed_ips=ip_address=10.0.0.5`, `=subnet_id=…`, `=ip_address_substr=…`; several of one kind are alternatives."""
    asked: dict[str, list[str]] = {}
    for value in values:
        key, _, wanted = value.partition("=")
        if key not in ("ip_address", "subnet_id", "ip_address_substr"):
            raise BadRequest("fixed_ips is asked for as ip_address=, subnet_id= or ip_address_substr=.")
        asked.setdefault(key, []).append(wanted)
    ips = [_canonical(ip) for ip in asked["ip_address"]] if "ip_address" in asked else None
    subnets = asked.get("subnet_id")
    found = [ports.c.id.in_(addresses.ports_with(ips=ips, subnets=subnets))] if ips or subnets else []
    parts = [ports.c.id.in_(addresses.ports_with(part=part)) for part in asked.get("ip_address_substr", []) if part]
    return sa.and_(*found, sa.or_(*parts) if parts else sa.true())


def _canonical(ip: str) -> str:
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        return ip


listing = standard.Listing(
    "Port",
    ports,
    Port,
    standard.attributes(
        ports, "network_id", "admin_state_up", "status", "device_id", "device_owner", "port_security_enabled",
        "dns_name", "dns_domain",
        **{"mac_address": "mac", "binding:host_id": "host", "binding:vnic_type": "vnic_type"},
    ),
    {
        "fixed_ips": _fixed_ips,
        "ip_address_substr": lambda values: ports.c.id.in_(addresses.ports_with(part=values[-1])),
        "security_groups": lambda values: ports.c.id.in_(groups.ports_with(values)),
        "mac_address": lambda values: ports.c.mac.in_([value.lower() for value in values]),
    },
)  # fmt: skip


def visible(project_id: str, own_networks: list[str]) -> Any:
    return sa.or_(ports.c.project_id == project_id, ports.c.network_id.in_(own_networks))


def page(tx: Tx, query: Query, where: list[Any]) -> Page[Port]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> Port | None:
    found: Port | None = standard.find(tx, listing, id)
    return found


def find_many(tx: Tx, ids: list[str]) -> list[Port]:
    return tx.all(sa.select(ports).where(ports.c.id.in_(ids)), Port)


def _sorted(*where: Any) -> sa.Select[Any]:
    return sa.select(ports).where(*where).order_by(ports.c.created_at, ports.c.id)


def of_networks(tx: Tx, network_ids: list[str]) -> list[Port]:
    return tx.all(_sorted(ports.c.network_id.in_(network_ids)), Port)


def of_devices(tx: Tx, device_ids: list[str], owner: str | None = None) -> list[Port]:
    query = _sorted(ports.c.device_id.in_(device_ids))
    return tx.all(query if owner is None else query.where(ports.c.device_owner == owner), Port)


def of_servers(tx: Tx, server_ids: list[str]) -> list[Port]:
    return tx.all(_sorted(ports.c.device_id.in_(server_ids), ports.c.attached.is_(True)), Port)


def on_host(tx: Tx, host: str) -> list[Port]:
    return tx.all(_sorted(ports.c.host == host), Port)


def in_groups(tx: Tx, group_ids: list[str]) -> list[Port]:
    """Bound ports with any of these groups: what packets can come from."""
    return tx.all(_sorted(ports.c.id.in_(groups.ports_with(group_ids)), ports.c.host != ""), Port)


def service_ports(tx: Tx, network_ids: list[str]) -> list[Port]:
    return tx.all(_sorted(ports.c.network_id.in_(network_ids), ports.c.device_owner.in_(SERVICE_OWNERS)), Port)


def with_ip(tx: Tx, network_id: str, ip: str) -> list[Port]:
    return tx.all(_sorted(ports.c.network_id == network_id, ports.c.id.in_(addresses.ports_with(ips=[ip]))), Port)


def guests_with_addresses(tx: Tx) -> list[tuple[str, list[dict[str, str]]]]:
    """Server and fixed IPs of every port of a server."""
    query = sa.select(ports.c.device_id, ports.c.fixed_ips).where(ports.c.attached.is_(True))
    rows: list[Row] = tx.all(query)
    return [(row.device_id, row.fixed_ips) for row in rows]


def projects_on(tx: Tx, network_id: str) -> set[str]:
    """Whose ports are on a network, but for those of the cloud itself."""
    query = sa.select(ports.c.project_id).where(ports.c.network_id == network_id, ports.c.project_id != "")
    return set(tx.scalars(query.distinct()))


def hosts_of_networks(tx: Tx, network_ids: list[str]) -> list[str]:
    query = sa.select(ports.c.host).where(ports.c.network_id.in_(network_ids), ports.c.host != "")
    return tx.scalars(query.distinct())


def hosts_of_groups(tx: Tx, group_ids: list[str]) -> list[str]:
    query = sa.select(ports.c.host).where(ports.c.id.in_(groups.ports_with(group_ids)), ports.c.host != "")
    return tx.scalars(query.distinct())


def mac_exists(tx: Tx, network_id: str, mac: str) -> bool:
    return tx.scalar(sa.select(ports.c.id).where(ports.c.network_id == network_id, ports.c.mac == mac)) is not None


def add(tx: Tx, port: Port, taken: Conflict) -> None:
    tx.insert(ports, port, duplicate=taken)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, ports, id, changes)


def observe(tx: Tx, id: str, status: str) -> None:
    """What a host reported: no change of what is wanted, so the revision stays."""
    tx.execute(ports.update().where(ports.c.id == id).values(status=status))


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, ports, id)


def count(tx: Tx, project_id: str) -> int:
    """What the cloud made for itself does not count."""
    return standard.count(tx, ports, ports.c.project_id == project_id, ports.c.device_owner.not_in(SERVICE_OWNERS))
