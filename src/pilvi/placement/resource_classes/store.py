import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track
from pilvi.placement.resource_classes.model import ResourceClass

classes = sa.Table(
    "placement_resource_classes",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("updated_at", sa.String(27), nullable=False),
)
track(classes, "resource_class", "name", project="", id="name")


def taken(name: str) -> Conflict:
    return Conflict(f"Conflicting resource class already exists: {name}. Resource class already exists.")


def add(tx: Tx, name: str) -> None:
    tx.insert(classes, {"name": name, "updated_at": clock.timestamp()}, duplicate=taken(name))


def find(tx: Tx, name: str) -> ResourceClass | None:
    return tx.first(sa.select(classes).where(classes.c.name == name), ResourceClass)


def custom(tx: Tx) -> list[ResourceClass]:
    return tx.all(sa.select(classes).order_by(classes.c.name), ResourceClass)


def rename(tx: Tx, name: str, new: str) -> None:
    change = classes.update().where(classes.c.name == name).values(name=new, updated_at=clock.timestamp())
    tx.execute(change, duplicate=taken(new))


def delete(tx: Tx, name: str) -> int:
    return tx.execute(classes.delete().where(classes.c.name == name))
