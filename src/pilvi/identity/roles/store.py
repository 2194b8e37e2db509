from typing import Any

import sqlalchemy as sa

from pilvi.identity.roles.model import Role
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import part, track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

roles = sa.Table(
    "identity_roles",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name", name="identity_roles_name"),
)
track(roles, "role", "name domain_id description options extra", project="")
implied_roles = sa.Table(
    "identity_implied_roles",
    metadata,
    sa.Column("prior_id", sa.String(64), primary_key=True),
    sa.Column("implied_id", sa.String(64), primary_key=True),
)
part(implied_roles, "role", "prior_id", "implies {implied_id}")
_COLUMNS = {n: roles.c[n] for n in ("id", "name", "description")}


def taken(name: str) -> Conflict:
    return Conflict(f"Conflict occurred attempting to store role - Duplicate entry found with name {name}.")


def add(tx: Tx, role: Role) -> None:
    tx.insert(roles, role, duplicate=taken(role.name))


def everything(tx: Tx) -> list[Role]:
    return tx.all(sa.select(roles).order_by(roles.c.name), Role)


def implications(tx: Tx) -> list[tuple[str, str]]:
    rows: list[Any] = tx.all(sa.select(implied_roles).order_by(implied_roles.c.prior_id, implied_roles.c.implied_id))
    return [(row.prior_id, row.implied_id) for row in rows]


def search(tx: Tx, query: Query, domain_id: str) -> Page[Role]:
    return page(tx, roles, Role, query, _COLUMNS, domain_id=domain_id)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(roles.update().where(roles.c.id == id).values(changes), duplicate=taken(str(changes.get("name"))))


def delete(tx: Tx, id: str) -> None:
    tx.execute(implied_roles.delete().where((implied_roles.c.prior_id == id) | (implied_roles.c.implied_id == id)))
    tx.execute(roles.delete().where(roles.c.id == id))


def imply(tx: Tx, prior_id: str, implied_id: str) -> None:
    row = {"prior_id": prior_id, "implied_id": implied_id}
    tx.upsert(implied_roles, row, keys=("prior_id", "implied_id"))


def imply_no_more(tx: Tx, prior_id: str, implied_id: str) -> int:
    this = (implied_roles.c.prior_id == prior_id, implied_roles.c.implied_id == implied_id)
    return tx.execute(implied_roles.delete().where(*this))
