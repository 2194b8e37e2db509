"""The only SQL for allocated addresses. The primary key is what keeps an address from being given out twice."""

from collections.abc import Iterable

import sqlalchemy as sa

from pilvi.kernel.db import Row, Tx, metadata
from pilvi.kernel.errors import Fault
from pilvi.network.addresses.model import Allocation, Ranges
from pilvi.network.standard import store as standard

allocations = sa.Table(
    "network_ip_allocations",
    metadata,
    sa.Column("subnet_id", sa.String(36), primary_key=True),
    sa.Column("ip", sa.String(45), primary_key=True),
    sa.Column("port_id", sa.String(36), nullable=False),
    sa.Column("network_id", sa.String(36), nullable=False),
    sa.Index("network_ip_allocations_by_port", "port_id"),
    sa.Index("network_ip_allocations_by_ip", "ip"),
)


def add(tx: Tx, one: Allocation, taken: Fault) -> None:
    tx.insert(allocations, one, duplicate=taken)


def is_taken(tx: Tx, subnet_id: str, ip: str) -> bool:
    query = sa.select(allocations.c.port_id).where(allocations.c.subnet_id == subnet_id, allocations.c.ip == ip)
    return tx.scalar(query) is not None


def take(tx: Tx, subnet_id: str, ranges: Ranges) -> str | None:
    """The next free address of the pools, or None."""

    def taken(positions: list[int]) -> set[int]:
        at = {ranges.at(position): position for position in positions}
        query = sa.select(allocations.c.ip).where(allocations.c.subnet_id == subnet_id, allocations.c.ip.in_(list(at)))
        return {at[ip] for ip in tx.scalars(query)}

    tx.lock("subnet", subnet_id)
    position = standard.take_number(tx, f"subnet {subnet_id}", ranges.size, taken)
    return None if position is None else ranges.at(position)


def release(tx: Tx, port_id: str, ips: Iterable[str] | None = None) -> None:
    statement = allocations.delete().where(allocations.c.port_id == port_id)
    tx.execute(statement if ips is None else statement.where(allocations.c.ip.in_(list(ips))))


def of_subnet(tx: Tx, subnet_id: str) -> list[Allocation]:
    return tx.all(sa.select(allocations).where(allocations.c.subnet_id == subnet_id), Allocation)


def counts(tx: Tx, subnet_ids: list[str]) -> dict[str, int]:
    query = (
        sa.select(allocations.c.subnet_id, sa.func.count().label("number"))
        .where(allocations.c.subnet_id.in_(subnet_ids))
        .group_by(allocations.c.subnet_id)
    )
    rows: list[Row] = tx.all(query)
    return {row.subnet_id: row.number for row in rows}


def forget_subnet(tx: Tx, subnet_id: str) -> None:
    tx.execute(allocations.delete().where(allocations.c.subnet_id == subnet_id))
    standard.forget_cursor(tx, f"subnet {subnet_id}")


def ports_with(
    *, ips: list[str] | None = None, part: str | None = None, subnets: list[str] | None = None
) -> sa.Select[tuple[str]]:
    """A subquery of the ports that have such an address."""
    query = sa.select(allocations.c.port_id)
    if ips is not None:
        query = query.where(allocations.c.ip.in_(ips))
    if part is not None:
        query = query.where(sa.func.replace(allocations.c.ip, part, "") != allocations.c.ip)
    if subnets is not None:
        query = query.where(allocations.c.subnet_id.in_(subnets))
    return query
