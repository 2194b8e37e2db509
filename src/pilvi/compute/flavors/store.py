"""The only SQL for flavors and who may use private ones."""

from typing import Any

import sqlalchemy as sa

from pilvi.compute.flavors.model import Flavor
from pilvi.kernel.db import Json, Shaped, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import part, track
from pilvi.kernel.paging import Page, cut, keyset

flavors = sa.Table(
    "compute_flavors",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("ram", sa.Integer, nullable=False),
    sa.Column("vcpus", sa.Integer, nullable=False),
    sa.Column("disk", sa.Integer, nullable=False),
    sa.Column("ephemeral", sa.Integer, nullable=False),
    sa.Column("swap", sa.Integer, nullable=False),
    sa.Column("rxtx_factor", sa.Float, nullable=False),
    sa.Column("is_public", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("extra_specs", Json, nullable=False),
)
track(flavors, "flavor", "name ram vcpus disk ephemeral swap is_public description extra_specs", project="")
access = sa.Table(
    "compute_flavor_access",
    metadata,
    sa.Column("flavor_id", sa.String(255), sa.ForeignKey("compute_flavors.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("project_id", sa.String(64), primary_key=True),
)
part(access, "flavor", "flavor_id", "access of {project_id}")

SORT_KEYS = {
    "created_at": flavors.c.created_at, "description": flavors.c.description, "disabled": flavors.c.disabled,
    "ephemeral_gb": flavors.c.ephemeral, "flavorid": flavors.c.id, "id": flavors.c.id,
    "is_public": flavors.c.is_public, "memory_mb": flavors.c.ram, "name": flavors.c.name,
    "root_gb": flavors.c.disk, "rxtx_factor": flavors.c.rxtx_factor, "swap": flavors.c.swap, "vcpus": flavors.c.vcpus,
}  # fmt: skip


def add(tx: Tx, flavor: Flavor) -> None:
    same_id = tx.scalar(sa.select(flavors.c.id).where(flavors.c.id == flavor.id))
    word = f"ID {flavor.id}" if same_id else f"name {flavor.name}"
    tx.insert(flavors, flavor, duplicate=Conflict(f"Flavor with {word} already exists."))


def find(tx: Tx, id: str) -> Flavor | None:
    return tx.first(sa.select(flavors).where(flavors.c.id == id), Flavor)


def find_many(tx: Tx, ids: list[str]) -> list[Flavor]:
    return tx.all(sa.select(flavors).where(flavors.c.id.in_(ids)), Flavor)


def page(
    tx: Tx,
    *,
    project_id: str | None,
    is_public: bool | None,
    min_disk: int,
    min_ram: int,
    name: str | None,
    sort_key: str,
    descending: bool,
    marker: Flavor | None,
    limit: int | None,
) -> Page[Flavor]:
    """Flavors that a project may use (all for `project_id=None`)."""
    values: dict[str, Any] = {"at_least_disk": min_disk, "at_least_ram": min_ram}
    if project_id is not None:
        values["wanted_project_id"] = project_id
    if name is not None:
        values["wanted_name"] = name
    if limit is not None:
        values["page_rows"] = limit + 1

    def build() -> sa.Select[Any]:
        return _ordered(_wanted(is_public, values), sort_key, descending, marker, values)

    # A marker's place in the order stands in the statement itself.
    key = None if marker is not None else ("flavors.page", is_public, sort_key, descending, *values)
    return cut(tx.all(Shaped(key, build, values), Flavor), limit)


def _wanted(is_public: bool | None, values: dict[str, Any]) -> sa.Select[Any]:
    query = sa.select(flavors).where(
        flavors.c.disk >= sa.bindparam("at_least_disk"), flavors.c.ram >= sa.bindparam("at_least_ram")
    )
    if is_public is not None:
        query = query.where(flavors.c.is_public.is_(is_public))
    if "wanted_project_id" in values:
        mine = sa.select(access.c.flavor_id).where(access.c.project_id == sa.bindparam("wanted_project_id"))
        query = query.where(sa.or_(flavors.c.is_public.is_(True), flavors.c.id.in_(mine)))
    if "wanted_name" in values:
        query = query.where(flavors.c.name == sa.bindparam("wanted_name"))
    return query


def _ordered(
    query: sa.Select[Any], sort_key: str, descending: bool, marker: Flavor | None, values: dict[str, Any]
) -> sa.Select[Any]:
    column = SORT_KEYS[sort_key]
    order: list[tuple[Any, bool]] = [(column, descending)]
    if column is not flavors.c.id:
        order.append((flavors.c.id, descending))
    after = None if marker is None else [getattr(marker, c.name) for c, _ in order]
    query = keyset(query, order, after=after, limit=None)
    return query.limit(sa.bindparam("page_rows", type_=sa.Integer)) if "page_rows" in values else query


def set_extra_specs(tx: Tx, id: str, specs: dict[str, str]) -> None:
    tx.execute(flavors.update().where(flavors.c.id == id).values(extra_specs=specs))


def set_description(tx: Tx, id: str, description: str | None) -> None:
    tx.execute(flavors.update().where(flavors.c.id == id).values(description=description))


def delete(tx: Tx, id: str) -> None:
    tx.execute(access.delete().where(access.c.flavor_id == id))
    tx.execute(flavors.delete().where(flavors.c.id == id))


def access_of(tx: Tx, id: str) -> list[str]:
    return tx.scalars(sa.select(access.c.project_id).where(access.c.flavor_id == id).order_by(access.c.project_id))


def grant(tx: Tx, id: str, project_id: str) -> None:
    taken = Conflict(f"Flavor access already exists for flavor {id} and project {project_id} combination.")
    tx.insert(access, {"flavor_id": id, "project_id": project_id}, duplicate=taken)


def revoke(tx: Tx, id: str, project_id: str) -> int:
    return tx.execute(access.delete().where(access.c.flavor_id == id, access.c.project_id == project_id))
