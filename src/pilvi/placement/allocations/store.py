from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import part, track
from pilvi.placement.allocations.model import Allocation, Consumer

consumers = sa.Table(
    "placement_consumers",
    metadata,
    sa.Column("uuid", sa.String(36), primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("project_id", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("consumer_type", sa.String(255), nullable=True),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Index("placement_consumers_project", "project_id", "user_id"),
)
track(consumers, "consumer", "project_id user_id consumer_type", name="uuid", id="uuid")
allocations = sa.Table(
    "placement_allocations",
    metadata,
    sa.Column("consumer_uuid", sa.String(36), primary_key=True),
    sa.Column("provider_uuid", sa.String(36), primary_key=True),
    sa.Column("resource_class", sa.String(255), primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Index("placement_allocations_provider", "provider_uuid"),
)
part(allocations, "consumer", "consumer_uuid", "{resource_class} of {provider_uuid}", "used")


def find_consumer(tx: Tx, uuid: str) -> Consumer | None:
    return tx.first(sa.select(consumers).where(consumers.c.uuid == uuid), Consumer)


def find_consumers(tx: Tx, uuids: Iterable[str]) -> list[Consumer]:
    return tx.all(sa.select(consumers).where(consumers.c.uuid.in_(sorted(set(uuids)))), Consumer)


def add_consumer(tx: Tx, consumer: Consumer) -> None:
    tx.insert(consumers, consumer)


def advance_consumer(tx: Tx, consumer: Consumer, **changes: Any) -> bool:
    """One generation further, if it is still the one that was read."""
    this = (consumers.c.uuid == consumer.uuid, consumers.c.generation == consumer.generation)
    values = {"generation": consumer.generation + 1, "updated_at": clock.timestamp(), **changes}
    return tx.execute(consumers.update().where(*this).values(values)) == 1


def delete_consumer(tx: Tx, uuid: str) -> None:
    tx.execute(consumers.delete().where(consumers.c.uuid == uuid))


def of_consumer(tx: Tx, uuid: str) -> list[Allocation]:
    query = sa.select(allocations).where(allocations.c.consumer_uuid == uuid)
    return tx.all(query.order_by(allocations.c.provider_uuid, allocations.c.resource_class), Allocation)


def of_provider(tx: Tx, uuid: str) -> list[Allocation]:
    query = sa.select(allocations).where(allocations.c.provider_uuid == uuid)
    return tx.all(query.order_by(allocations.c.consumer_uuid, allocations.c.resource_class), Allocation)


def put(tx: Tx, consumer_uuid: str, held: Iterable[Allocation]) -> None:
    """The consumer holds exactly this."""
    tx.execute(allocations.delete().where(allocations.c.consumer_uuid == consumer_uuid))
    tx.insert_many(allocations, list(held))


def sums(tx: Tx, project_id: str, user_id: str | None) -> list[Any]:
    """Per type of consumer and class: what is held in a project."""
    where = [consumers.c.project_id == project_id]
    if user_id is not None:
        where.append(consumers.c.user_id == user_id)
    used = sa.func.sum(allocations.c.used).label("used")
    query = (
        sa.select(consumers.c.consumer_type, allocations.c.resource_class, used)
        .select_from(allocations.join(consumers, consumers.c.uuid == allocations.c.consumer_uuid))
        .where(*where)
        .group_by(consumers.c.consumer_type, allocations.c.resource_class)
    )
    return tx.all(query)


def counts(tx: Tx, project_id: str, user_id: str | None) -> list[Any]:
    """Per type: how many consumers."""
    where = [consumers.c.project_id == project_id]
    if user_id is not None:
        where.append(consumers.c.user_id == user_id)
    count = sa.func.count().label("count")
    query = sa.select(consumers.c.consumer_type, count).where(*where).group_by(consumers.c.consumer_type)
    return tx.all(query)
