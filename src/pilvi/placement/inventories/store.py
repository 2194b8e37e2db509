"""Inventories with what is used of them. `free` is a column so that it can be searched; one statement claims."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Shaped, Tx, among, metadata
from pilvi.kernel.history import part
from pilvi.placement.inventories.model import Inventory

inventories = sa.Table(
    "placement_inventories",
    metadata,
    sa.Column("provider_uuid", sa.String(36), primary_key=True),
    sa.Column("resource_class", sa.String(255), primary_key=True),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("reserved", sa.Integer, nullable=False),
    sa.Column("min_unit", sa.Integer, nullable=False),
    sa.Column("max_unit", sa.Integer, nullable=False),
    sa.Column("step_size", sa.Integer, nullable=False),
    sa.Column("allocation_ratio", sa.Float, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("free", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Index("placement_inventories_free", "resource_class", "free"),
)
part(
    inventories, "resource_provider", "provider_uuid", "inventory {resource_class}",
    "total reserved min_unit max_unit step_size allocation_ratio",
)  # fmt: skip


def add(tx: Tx, inventory: Inventory) -> None:
    tx.insert(inventories, inventory)


def find(tx: Tx, provider_uuid: str, resource_class: str) -> Inventory | None:
    return tx.first(_one(provider_uuid, resource_class, sa.select(inventories)), Inventory)


def _one(provider_uuid: str, resource_class: str, statement: Any) -> Any:
    return statement.where(inventories.c.provider_uuid == provider_uuid, inventories.c.resource_class == resource_class)


def of(tx: Tx, provider_uuid: str) -> list[Inventory]:
    query = sa.select(inventories).where(inventories.c.provider_uuid == provider_uuid)
    return tx.all(query.order_by(inventories.c.resource_class), Inventory)


def of_many(tx: Tx, provider_uuids: Iterable[str]) -> list[Inventory]:
    def build() -> sa.Select[Any]:
        return sa.select(inventories).where(among(tx, inventories.c.provider_uuid, "uuids"))

    return tx.all(Shaped(("inventories.many",), build, {"uuids": sorted(set(provider_uuids))}), Inventory)


def everything(tx: Tx) -> list[Inventory]:
    return tx.all(sa.select(inventories), Inventory)


def change(tx: Tx, inventory: Inventory) -> None:
    """Set what there is; what is used stays as it is at this very moment."""
    values = {
        name: getattr(inventory, name)
        for name in ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio", "updated_at")
    }
    statement = _one(inventory.provider_uuid, inventory.resource_class, inventories.update())
    tx.execute(statement.values(**values, free=inventory.capacity - inventories.c.used))


def delete(tx: Tx, provider_uuid: str, resource_class: str) -> bool:
    """Only while nothing of it is used."""
    return tx.execute(_one(provider_uuid, resource_class, inventories.delete()).where(inventories.c.used == 0)) == 1


def take(tx: Tx, provider_uuid: str, resource_class: str, amount: int) -> bool:
    """Claim, if it fits at this very moment: condition and change are one statement, so many may try at once."""
    column = inventories.c
    statement = _one(provider_uuid, resource_class, inventories.update()).where(column.free >= amount)
    return tx.execute(statement.values(used=column.used + amount, free=column.free - amount)) == 1


def give_back(tx: Tx, provider_uuid: str, resource_class: str, amount: int) -> None:
    column = inventories.c
    statement = _one(provider_uuid, resource_class, inventories.update())
    tx.execute(statement.values(used=column.used - amount, free=column.free + amount))


@cache
def _alias(number: int) -> Any:
    """Making an alias is slow; a request asks for few classes."""
    return inventories.alias(f"i{number}")


def providers_that_take(tx: Tx, resources: Mapping[str, int], limit: int | None = None) -> list[str]:
    """Providers that can take all of this at once, by themselves; all of them or some."""
    asked = sorted(resources.items())
    values: dict[str, Any] = {} if limit is None else {"most": limit}
    for i, (resource_class, amount) in enumerate(asked):
        values |= {f"class_{i}": resource_class, f"amount_{i}": amount}

    def build() -> sa.Select[Any]:
        query = _that_take(len(asked))
        return query if limit is None else query.limit(sa.bindparam("most", type_=sa.Integer))

    return tx.scalars(Shaped(("inventories.taking", len(asked), limit is None), build, values))


def _that_take(classes: int) -> sa.Select[Any]:
    tables = [_alias(i) for i in range(classes)]
    first = tables[0]
    joined: Any = first
    for table in tables[1:]:
        joined = joined.join(table, table.c.provider_uuid == first.c.provider_uuid)
    where = []
    for i, table in enumerate(tables):
        amount: Any = sa.bindparam(f"amount_{i}", type_=sa.BigInteger)
        where += [
            table.c.resource_class == sa.bindparam(f"class_{i}"),
            table.c.free >= amount,
            table.c.min_unit <= amount,
            table.c.max_unit >= amount,
            amount % table.c.step_size == 0,
        ]
    return sa.select(first.c.provider_uuid).select_from(joined).where(*where)


def has_class(tx: Tx, resource_class: str) -> bool:
    query = sa.select(inventories.c.provider_uuid).where(inventories.c.resource_class == resource_class).limit(1)
    return tx.scalar(query) is not None
