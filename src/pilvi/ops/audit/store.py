"""The only SQL of the auditor: what breaks a promise, one question each, and what was found last.

Tables of services are read as light copies, by name: an auditor that used the rooms' own code would repeat their
mistakes. `tests/contract/ops` checks that every column named here exists.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.facts import events
from pilvi.kernel.hosts import hosts
from pilvi.kernel.quotas import limits
from pilvi.kernel.work import work
from pilvi.ops.audit.model import VIOLATIONS_MOST, Verdict

BATCH = 5000


IMAGE_TASKS = ("image_snapshot", "image_uploading")


def _light(name: str, columns: str, **typed: Any) -> sa.TableClause:
    plain: list[sa.ColumnClause[Any]] = [sa.column(each) for each in columns.split()]
    return sa.table(name, *plain, *[sa.column(each, type_) for each, type_ in typed.items()])


servers = _light(
    "compute_servers",
    "id project_id host vm_state task_state task_since power_state wanted_power generation seen_generation "
    "vcpus memory_mib created_at",
    flavor=Json,
)
ports = _light(
    "network_ports", "id network_id mac device_id device_owner host status", fixed_ips=Json,
    attached=sa.Boolean, made_by_compute=sa.Boolean, admin_state_up=sa.Boolean,
)  # fmt: skip
networks = _light("network_networks", "id")
subnets = _light("network_subnets", "id network_id")
addresses = _light("network_ip_allocations", "subnet_id ip port_id network_id")
routers = _light("network_routers", "id host gateway_port_id")
floating_ips = _light("network_floating_ips", "id floating_ip_address floating_port_id port_id router_id")
groups = _light("network_security_groups", "id")
group_ports = _light("network_security_group_ports", "security_group_id port_id")
providers = _light("placement_providers", "uuid name")
inventories = _light(
    "placement_inventories", "provider_uuid resource_class total reserved allocation_ratio used free"
)  # fmt: skip
allocations = _light("placement_allocations", "consumer_uuid provider_uuid resource_class used")
consumers = _light("placement_consumers", "uuid consumer_type")
images = _light("image_images", "id status busy_until")

LIGHT = (
    servers, ports, networks, subnets, addresses, routers, floating_ips, groups, group_ports, providers, inventories,
    allocations, consumers, images,
)  # fmt: skip

verdicts = sa.Table(
    "ops_audit_verdicts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("checked_at", sa.String(27), nullable=False),
    sa.Column("objects", sa.BigInteger, nullable=False),
    sa.Column("violations", sa.Integer, nullable=False),
    sa.Column("since", sa.String(27), nullable=True),
    sa.Column("took_ms", sa.Float, nullable=False),
    sa.Column("suspects", Json, nullable=False),
    sa.Column("examples", Json, nullable=False),
)


def count(tx: Tx, table: sa.TableClause, *where: Any) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*where)))


def _few(tx: Tx, query: sa.Select[Any]) -> list[Row]:
    return tx.all(query.limit(VIOLATIONS_MOST))


def _none(table: sa.TableClause, *where: Any) -> Any:
    """No row of the table is like this."""
    return ~sa.exists(sa.select(sa.literal_column("1")).select_from(table).where(*where))


# ---- placement ---------------------------------------------------------------------------------------------------


def overfull(tx: Tx) -> list[Row]:
    """Inventories with less than nothing free."""
    query = sa.select(inventories, providers.c.name).join_from(
        inventories, providers, providers.c.uuid == inventories.c.provider_uuid, isouter=True
    )
    return _few(tx, query.where(inventories.c.free < 0))


def _sums() -> Any:
    return (
        sa.select(
            allocations.c.provider_uuid, allocations.c.resource_class, sa.func.sum(allocations.c.used).label("held")
        )
        .group_by(allocations.c.provider_uuid, allocations.c.resource_class)
        .subquery("sums")
    )


def miscounted(tx: Tx) -> list[Row]:
    """Inventories whose `used` is not the sum of what is held of them, or whose `free` does not follow from it."""
    sums = _sums()
    same = (sums.c.provider_uuid == inventories.c.provider_uuid) & (
        sums.c.resource_class == inventories.c.resource_class
    )
    held = sa.func.coalesce(sums.c.held, 0)
    query = sa.select(inventories, held.label("held")).join_from(inventories, sums, same, isouter=True)
    return _few(tx, query.where(inventories.c.used != held))


def every_inventory(tx: Tx) -> list[Row]:
    return tx.all(sa.select(inventories))


def held_of_nothing(tx: Tx) -> list[Row]:
    """Allocations of an inventory that is not there."""
    there = (inventories.c.provider_uuid == allocations.c.provider_uuid) & (
        inventories.c.resource_class == allocations.c.resource_class
    )
    return _few(tx, sa.select(allocations).where(_none(inventories, there)))


# ---- servers -----------------------------------------------------------------------------------------------------


def claims_without_server(tx: Tx) -> list[Row]:
    query = sa.select(consumers.c.uuid).where(
        consumers.c.consumer_type == "INSTANCE", _none(servers, servers.c.id == consumers.c.uuid)
    )
    return _few(tx, query)


def servers_without_claim(tx: Tx) -> list[Row]:
    """On a host, but holding nothing; flavors that choose their resources by themselves may ask for none."""
    query = sa.select(servers.c.id, servers.c.host).where(
        servers.c.host.is_not(None),
        _none(allocations, allocations.c.consumer_uuid == servers.c.id),
        servers.c.flavor.cast(sa.Text).not_like("%resources:%"),
    )
    return _few(tx, query)


def claims_elsewhere(tx: Tx) -> list[Row]:
    """Servers that hold something of a host on which they are not."""
    query = (
        sa.select(servers.c.id, servers.c.host, providers.c.name.label("held_of"), allocations.c.resource_class)
        .select_from(
            allocations.join(servers, servers.c.id == allocations.c.consumer_uuid).join(
                providers, providers.c.uuid == allocations.c.provider_uuid, isouter=True
            )
        )
        .where(sa.func.coalesce(servers.c.host, "") != sa.func.coalesce(providers.c.name, "?"))
    )
    return _few(tx, query)


def servers_on_unknown_hosts(tx: Tx) -> list[Row]:
    query = sa.select(servers.c.id, servers.c.host).where(
        servers.c.host.is_not(None), _none(hosts, hosts.c.name == servers.c.host)
    )
    return _few(tx, query)


def unwatched_servers(tx: Tx) -> list[Row]:
    """In transition without a work row that looks after them."""
    watched = (work.c.kind == "server") & (work.c.key == servers.c.id)
    query = sa.select(servers.c.id, servers.c.task_state).where(servers.c.task_state.is_not(None), _none(work, watched))
    return _few(tx, query)


def lingering_servers(tx: Tx, before: float, heard_after: float) -> list[Row]:
    """In one transition since before a moment, although their host answers. Images of large disks take longer."""
    query = sa.select(servers.c.id, servers.c.task_state, servers.c.task_since, servers.c.host).where(
        servers.c.task_state.is_not(None),
        servers.c.task_since < before,
        servers.c.task_state.not_in(IMAGE_TASKS),
        _none(hosts, hosts.c.name == servers.c.host, hosts.c.seen_at < heard_after),
    )
    return _few(tx, query)


def impossible_servers(tx: Tx) -> list[Row]:
    """At rest, not in error, and yet not as they are wanted."""
    settled = sa.or_(
        sa.and_(servers.c.wanted_power == "on", servers.c.vm_state == "active"),
        sa.and_(servers.c.wanted_power == "off", servers.c.vm_state == "stopped"),
        sa.and_(servers.c.wanted_power == "paused", servers.c.vm_state == "paused"),
    )
    query = sa.select(servers.c.id, servers.c.wanted_power, servers.c.vm_state).where(
        servers.c.task_state.is_(None), servers.c.vm_state != "error", sa.not_(settled)
    )
    return _few(tx, query)


def unconfirmed_servers(tx: Tx, heard_after: float) -> list[Row]:
    """At rest, but their host, which answers, has not reported the newest that was asked of it."""
    query = sa.select(
        servers.c.id, servers.c.host, servers.c.generation, servers.c.seen_generation
    ).where(
        servers.c.task_state.is_(None),
        servers.c.vm_state != "error",
        servers.c.seen_generation < servers.c.generation,
        sa.exists(sa.select(hosts.c.name).where(hosts.c.name == servers.c.host, hosts.c.seen_at >= heard_after)),
    )  # fmt: skip
    return _few(tx, query)


def usage_by_project(tx: Tx) -> list[Row]:
    query = sa.select(
        servers.c.project_id,
        sa.func.count().label("instances"),
        sa.func.sum(servers.c.vcpus).label("cores"),
        sa.func.sum(servers.c.memory_mib).label("ram"),
        sa.func.max(servers.c.created_at).label("newest"),
    ).where(servers.c.wanted_power != "absent")
    return tx.all(query.group_by(servers.c.project_id))


def quotas_of_projects(tx: Tx, service: str) -> dict[str, dict[str, int]]:
    """Projects with limits of their own: resource → limit."""
    query = sa.select(limits.c.project_id, limits.c.resource, limits.c.limit).where(limits.c.service == service)
    found: dict[str, dict[str, int]] = {}
    rows: list[Row] = tx.all(query)
    for row in rows:
        found.setdefault(row.project_id, {})[row.resource] = row.limit
    return found


def quota_changed_after(tx: Tx, project_id: str, moment: str) -> bool:
    """Limits are fields of their project (`*` for all projects), so what changed them says that it was about those."""
    query = sa.select(events.c.id).where(
        events.c.resource_id.in_([project_id, "*"]),
        events.c.resource_type == "project",
        events.c.step.contains("os-quota-"),
        events.c.at > moment,
    )
    return tx.scalar(query.limit(1)) is not None


# ---- network -----------------------------------------------------------------------------------------------------


def macs_twice(tx: Tx) -> list[Row]:
    query = sa.select(ports.c.network_id, ports.c.mac, sa.func.count().label("number"))
    return _few(tx, query.group_by(ports.c.network_id, ports.c.mac).having(sa.func.count() > 1))


def addresses_twice(tx: Tx) -> list[Row]:
    query = sa.select(addresses.c.network_id, addresses.c.ip, sa.func.count().label("number"))
    return _few(tx, query.group_by(addresses.c.network_id, addresses.c.ip).having(sa.func.count() > 1))


def addresses_without_port(tx: Tx) -> list[Row]:
    return _few(tx, sa.select(addresses).where(_none(ports, ports.c.id == addresses.c.port_id)))


def addresses_without_subnet(tx: Tx) -> list[Row]:
    there = (subnets.c.id == addresses.c.subnet_id) & (subnets.c.network_id == addresses.c.network_id)
    return _few(tx, sa.select(addresses).where(_none(subnets, there)))


def addresses_of_ports(tx: Tx) -> Iterator[tuple[list[Row], list[Row]]]:
    """Ports in order of their ids with the addresses that are written down for them, in bounded portions."""
    last = ""
    while True:
        query = sa.select(ports.c.id, ports.c.fixed_ips).where(ports.c.id > last).order_by(ports.c.id).limit(BATCH)
        part: list[Row] = tx.all(query)
        if not part:
            return
        first, last = part[0].id, part[-1].id
        between = sa.select(addresses.c.port_id, addresses.c.ip, addresses.c.subnet_id).where(
            addresses.c.port_id >= first, addresses.c.port_id <= last
        )
        yield part, tx.all(between)
        if len(part) < BATCH:
            return


def ports_without_network(tx: Tx) -> list[Row]:
    query = sa.select(ports.c.id, ports.c.network_id).where(_none(networks, networks.c.id == ports.c.network_id))
    return _few(tx, query)


def ports_without_server(tx: Tx) -> list[Row]:
    query = sa.select(ports.c.id, ports.c.device_id).where(
        sa.or_(ports.c.attached.is_(True), ports.c.made_by_compute.is_(True)),
        _none(servers, servers.c.id == ports.c.device_id),
    )
    return _few(tx, query)


def ports_elsewhere(tx: Tx) -> list[Row]:
    """Ports of a server that are bound to another host than the server's."""
    query = (
        sa.select(ports.c.id, ports.c.device_id, ports.c.host, servers.c.host.label("server_host"))
        .join_from(ports, servers, servers.c.id == ports.c.device_id)
        .where(ports.c.attached.is_(True), ports.c.host != sa.func.coalesce(servers.c.host, ""))
    )
    return _few(tx, query)


def dangling_floating_ips(tx: Tx) -> list[Row]:
    lost = sa.or_(
        _none(ports, ports.c.id == floating_ips.c.floating_port_id),
        sa.and_(floating_ips.c.port_id.is_not(None), _none(ports, ports.c.id == floating_ips.c.port_id)),
        sa.and_(floating_ips.c.router_id.is_not(None), _none(routers, routers.c.id == floating_ips.c.router_id)),
    )
    return _few(tx, sa.select(floating_ips).where(lost))


def dangling_gateways(tx: Tx) -> list[Row]:
    query = sa.select(routers.c.id, routers.c.gateway_port_id).where(
        routers.c.gateway_port_id.is_not(None), _none(ports, ports.c.id == routers.c.gateway_port_id)
    )
    return _few(tx, query)


def dangling_groups(tx: Tx) -> list[Row]:
    lost = sa.or_(
        _none(ports, ports.c.id == group_ports.c.port_id), _none(groups, groups.c.id == group_ports.c.security_group_id)
    )
    return _few(tx, sa.select(group_ports).where(lost))


def unplugged_ports(tx: Tx, heard_after: float) -> list[Row]:
    """Bound ports that their host, which answers and has applied everything, has not said to be there."""
    query = (
        sa.select(ports.c.id, ports.c.host)
        .join_from(ports, hosts, hosts.c.name == ports.c.host)
        .where(
            ports.c.attached.is_(True),
            ports.c.status == "DOWN",
            ports.c.device_owner.like("compute:%"),
            hosts.c.seen_at >= heard_after,
            hosts.c.applied_revision >= hosts.c.revision,
            ports.c.admin_state_up.is_(True),
        )
    )
    return _few(tx, query)


# ---- hosts, work, images -----------------------------------------------------------------------------------------


def lagging_hosts(tx: Tx, heard_after: float) -> list[Row]:
    query = sa.select(hosts.c.name, hosts.c.revision, hosts.c.applied_revision).where(
        hosts.c.seen_at >= heard_after, hosts.c.applied_revision < hosts.c.revision
    )
    return _few(tx, query)


def guests_on_hosts(tx: Tx, heard_after: float) -> dict[str, dict[str, str]]:
    """Host → guest → power, of the hosts that answer and say what is there."""
    rows: list[Row] = tx.all(sa.select(hosts.c.name, hosts.c.facts).where(hosts.c.seen_at >= heard_after))
    return {row.name: row.facts["guests"] for row in rows if row.facts.get("guests") is not None}


def server_places(tx: Tx) -> list[Row]:
    return tx.all(sa.select(servers.c.id, servers.c.host, servers.c.task_state, servers.c.power_state))


def hosts_ahead(tx: Tx) -> list[Row]:
    query = sa.select(hosts.c.name, hosts.c.revision, hosts.c.applied_revision)
    return _few(tx, query.where(hosts.c.applied_revision > hosts.c.revision))


def overdue_work(tx: Tx, before: float) -> list[Row]:
    """Rows that nobody has taken although they are long ripe."""
    query = sa.select(work.c.kind, work.c.key, work.c.due_at).where(work.c.due_at < before, work.c.lease_until < before)
    return _few(tx, query.order_by(work.c.due_at))


def failing_work(tx: Tx, attempts: int) -> list[Row]:
    query = sa.select(work.c.kind, work.c.key, work.c.attempts, work.c.last_error).where(work.c.attempts >= attempts)
    return _few(tx, query.order_by(work.c.attempts.desc()))


def stuck_images(tx: Tx, before: float) -> list[Row]:
    """Being filled, although whoever fills them has not shown itself for long."""
    query = sa.select(images.c.id, images.c.status).where(
        images.c.status.in_(["saving", "importing"]), images.c.busy_until < before
    )
    return _few(tx, query)


# ---- what was found ----------------------------------------------------------------------------------------------


def put(tx: Tx, verdict: Verdict) -> None:
    row = {name: getattr(verdict, name) for name in Verdict.__dataclass_fields__} | {"examples": list(verdict.examples)}
    tx.upsert(verdicts, row, keys=("name",))


def every_verdict(tx: Tx) -> list[Verdict]:
    return tx.all(sa.select(verdicts).order_by(verdicts.c.name), Verdict)
