"""The only SQL for servers."""

from typing import Any

import orjson
import sqlalchemy as sa

from pilvi.compute.servers.model import Server
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page, cut, keyset

servers = sa.Table(
    "compute_servers",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("hostname", sa.String(255), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("description", sa.String(255), nullable=True),
    sa.Column("flavor", Json, nullable=False),
    sa.Column("vcpus", sa.Integer, nullable=False),
    sa.Column("memory_mib", sa.Integer, nullable=False),
    sa.Column("image_id", sa.String(36), nullable=False),
    sa.Column("image", Json, nullable=False),
    sa.Column("key_name", sa.String(255), nullable=True),
    sa.Column("public_key", sa.Text, nullable=True),
    sa.Column("user_data", sa.Text, nullable=True),
    sa.Column("config_drive", sa.Boolean, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("admin_password", sa.String(255), nullable=False),
    sa.Column("access_ip_v4", sa.String(15), nullable=False),
    sa.Column("access_ip_v6", sa.String(39), nullable=False),
    sa.Column("disk_config", sa.String(8), nullable=False),
    sa.Column("availability_zone", sa.String(255), nullable=False),
    sa.Column("reservation_id", sa.String(16), nullable=False),
    sa.Column("launch_index", sa.Integer, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Column("launched_at", sa.String(27), nullable=True),
    sa.Column("host", sa.String(255), nullable=True),
    sa.Column("vm_state", sa.String(24), nullable=False),
    sa.Column("task_state", sa.String(40), nullable=True),
    sa.Column("task_since", sa.Float, nullable=False),
    sa.Column("power_state", sa.Integer, nullable=False),
    sa.Column("wanted_power", sa.String(8), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("seen_generation", sa.Integer, nullable=False),
    sa.Column("reboot_generation", sa.Integer, nullable=False),
    sa.Column("reboot_kind", sa.String(4), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("locked_by", sa.String(8), nullable=True),
    sa.Column("locked_reason", sa.String(255), nullable=True),
    sa.Column("fault", Json, nullable=True),
    sa.Column("snapshot_image_id", sa.String(36), nullable=True),
    sa.Index("compute_servers_by_project", "project_id", "created_at", "id"),
    sa.Index("compute_servers_by_host", "host"),
    sa.Index("compute_servers_by_time", "created_at", "id"),
    sa.Index("compute_servers_by_snapshot", "snapshot_image_id"),
)

track(
    servers, "server",
    "name hostname description project_id user_id flavor vcpus memory_mib image_id key_name config_drive metadata tags "
    "availability_zone host vm_state task_state power_state wanted_power generation locked_by locked_reason fault "
    "created_at launched_at",
)  # fmt: skip

SORT_KEYS = {
    "access_ip_v4": "access_ip_v4", "access_ip_v6": "access_ip_v6", "availability_zone": "availability_zone",
    "config_drive": "config_drive", "created_at": "created_at", "display_name": "name", "host": "host",
    "hostname": "hostname", "image_ref": "image_id", "key_name": "key_name", "launch_index": "launch_index",
    "launched_at": "launched_at", "node": "host", "power_state": "power_state", "project_id": "project_id",
    "task_state": "task_state", "updated_at": "updated_at", "user_id": "user_id", "uuid": "id",
    "vm_state": "vm_state", "locked": "locked_by",
}  # fmt: skip


def add(tx: Tx, server: Server) -> None:
    tx.insert(servers, server)


def find(tx: Tx, id: str) -> Server | None:
    return tx.first(sa.select(servers).where(servers.c.id == id), Server)


def find_many(tx: Tx, ids: list[str]) -> list[Server]:
    return tx.all(sa.select(servers).where(servers.c.id.in_(ids)), Server)


def update(tx: Tx, id: str, changes: dict[str, Any], *, generation: int | None = None) -> int:
    """Change columns; with `generation` only while the server is still at it. Returns how many rows changed."""
    statement = servers.update().where(servers.c.id == id).values(**changes)
    if generation is not None:
        statement = statement.where(servers.c.generation == generation)
    return tx.execute(statement)


def delete(tx: Tx, id: str) -> None:
    tx.execute(servers.delete().where(servers.c.id == id))


def on_host(tx: Tx, host: str) -> list[Server]:
    return tx.all(sa.select(servers).where(servers.c.host == host).order_by(servers.c.id), Server)


def in_transition(tx: Tx) -> list[str]:
    return tx.scalars(sa.select(servers.c.id).where(servers.c.task_state.is_not(None)))


def usage(tx: Tx, project_id: str) -> dict[str, int]:
    """What a project's servers use of its quota; those being deleted no longer count."""
    query = sa.select(
        sa.func.count().label("instances"),
        sa.func.coalesce(sa.func.sum(servers.c.vcpus), 0).label("cores"),
        sa.func.coalesce(sa.func.sum(servers.c.memory_mib), 0).label("ram"),
    ).where(servers.c.project_id == project_id, servers.c.wanted_power != "absent")
    row: Any = tx.first(query)
    return {"instances": int(row.instances), "cores": int(row.cores), "ram": int(row.ram)}


def usage_of_host(tx: Tx, host: str) -> tuple[int, int, int]:
    """Servers, vCPUs and memory (MiB) placed on a host."""
    query = sa.select(
        sa.func.count().label("n"),
        sa.func.coalesce(sa.func.sum(servers.c.vcpus), 0).label("vcpus"),
        sa.func.coalesce(sa.func.sum(servers.c.memory_mib), 0).label("memory"),
    ).where(servers.c.host == host)
    row: Any = tx.first(query)
    return int(row.n), int(row.vcpus), int(row.memory)


def making_image(tx: Tx, image_id: str) -> Server | None:
    """The server of which this image is being made."""
    return tx.first(sa.select(servers).where(servers.c.snapshot_image_id == image_id), Server)


def host_needs_image(tx: Tx, host: str, image_id: str) -> bool:
    query = sa.select(servers.c.id).where(servers.c.host == host, servers.c.image_id == image_id).limit(1)
    return tx.scalar(query) is not None


def page(
    tx: Tx,
    conditions: list[Any],
    *,
    sort: list[tuple[str, bool]],
    marker: Server | None,
    limit: int | None,
) -> Page[Server]:
    """One page of servers. `sort` holds API sort keys with True for descending."""
    order: list[tuple[Any, bool]] = []
    seen: set[str] = set()
    tail = [("created_at", True), ("uuid", True)]
    for key, descending in [*sort, *tail] if sort else tail:
        column = SORT_KEYS[key]
        if column not in seen:
            seen.add(column)
            order.append((servers.c[column], descending))
    after = None if marker is None else [getattr(marker, c.name) for c, _ in order]
    query = keyset(sa.select(servers).where(*conditions), order, after=after, limit=limit)
    return cut(tx.all(query, Server), limit)


def condition(name: str, values: list[Any]) -> Any:
    """A filter as SQL: `name`, `status` pairs, ranges in time, plain columns."""
    column = servers.c.get(name)
    match name:
        case "name_part":
            return sa.func.lower(servers.c.name).contains(str(values[0]).lower(), autoescape=True)
        case "states":
            pairs = [
                servers.c.vm_state == state if tasks is None
                else sa.and_(servers.c.vm_state == state, servers.c.task_state.in_(tasks))
                for state, tasks in values
            ]  # fmt: skip
            return sa.or_(*pairs) if pairs else sa.false()
        case "changes_since":
            return servers.c.updated_at >= values[0]
        case "changes_before":
            return servers.c.updated_at <= values[0]
        case "flavor_id":
            start = f'{{"id":{orjson.dumps(values[0]).decode()},'
            return sa.func.substr(servers.c.flavor.cast(sa.Text), 1, len(start)) == start
        case "locked":
            return servers.c.locked_by.is_not(None) if values[0] else servers.c.locked_by.is_(None)
        case "nothing":
            return sa.false()
    assert column is not None, name
    present = [v for v in values if v is not None]
    if len(present) < len(values):
        return sa.or_(column.is_(None), column.in_(present))
    return column.in_(values)


def tag_condition(tag: str) -> Any:
    """Whether the list holds the tag, letter by letter: LIKE would not tell upper from lower case on every engine."""
    text = servers.c.tags.cast(sa.Text)
    return sa.func.replace(text, orjson.dumps(tag).decode(), "") != text


def any_of(conditions: list[Any]) -> Any:
    return sa.or_(*conditions)


def all_of(conditions: list[Any]) -> Any:
    return sa.and_(*conditions)


def negated(condition: Any) -> Any:
    return sa.not_(condition)


def names(tx: Tx) -> list[tuple[str, str]]:
    """Id and name of every server, for patterns that SQL cannot match."""
    rows: list[Any] = tx.all(sa.select(servers.c.id, servers.c.name))
    return [(row.id, row.name) for row in rows]
