"""Groups and who is in them."""

from typing import Any

import sqlalchemy as sa

from pilvi.identity.groups.model import Group
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import part, track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

groups = sa.Table(
    "identity_groups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.Column("origin", sa.String(64), nullable=False),
    sa.UniqueConstraint("domain_id", "name", "origin", name="identity_groups_name"),
)
track(groups, "group", "name domain_id description extra origin", project="")
memberships = sa.Table(
    "identity_memberships",
    metadata,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("group_id", sa.String(64), primary_key=True),
    sa.Index("identity_memberships_group", "group_id"),
)
part(memberships, "group", "group_id", "member {user_id}")
lasting = sa.Table(
    "identity_lasting_memberships",
    metadata,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("idp_id", sa.String(64), primary_key=True),
    sa.Column("group_id", sa.String(64), primary_key=True),
    sa.Column("ends_at", sa.Float, nullable=False),
    sa.Index("identity_lasting_memberships_group", "group_id"),
)
part(lasting, "group", "group_id", "member {user_id} by {idp_id}")
"""Memberships by an identity provider's word, which last for a time."""
_COLUMNS = {n: groups.c[n] for n in ("id", "name", "domain_id", "description")}


def taken(name: str) -> Conflict:
    return Conflict(f"Conflict occurred attempting to store group - Duplicate entry found with name {name}.")


def add(tx: Tx, group: Group) -> None:
    tx.insert(groups, group, duplicate=taken(group.name))


def find(tx: Tx, id: str) -> Group | None:
    return tx.first(sa.select(groups).where(groups.c.id == id), Group)


def find_named(tx: Tx, domain_id: str, name: str) -> Group | None:
    named = (groups.c.domain_id == domain_id, groups.c.name == name, groups.c.origin != groups.c.id)
    return tx.first(sa.select(groups).where(*named).order_by(groups.c.origin), Group)


def find_many(tx: Tx, ids: list[str]) -> list[Group]:
    found: list[Group] = []
    for start in range(0, len(ids), 500):
        found += tx.all(sa.select(groups).where(groups.c.id.in_(ids[start : start + 500])), Group)
    return found


def search(tx: Tx, query: Query, domain_id: str | None, user_id: str | None = None) -> Page[Group]:
    where: list[Any] = [] if domain_id is None else [groups.c.domain_id == domain_id]
    if user_id is not None:
        mine = sa.select(memberships.c.group_id).where(memberships.c.user_id == user_id)
        where.append(groups.c.id.in_(mine))
    return page(tx, groups, Group, query, _COLUMNS, where)


def in_domain(tx: Tx, domain_id: str) -> list[str]:
    return tx.scalars(sa.select(groups.c.id).where(groups.c.domain_id == domain_id))


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(groups.update().where(groups.c.id == id).values(changes), duplicate=taken(str(changes.get("name"))))


def delete(tx: Tx, id: str) -> None:
    tx.execute(memberships.delete().where(memberships.c.group_id == id))
    tx.execute(lasting.delete().where(lasting.c.group_id == id))
    tx.execute(groups.delete().where(groups.c.id == id))


def join(tx: Tx, group_id: str, user_id: str) -> None:
    tx.upsert(memberships, {"user_id": user_id, "group_id": group_id}, keys=("user_id", "group_id"))


def members_of(tx: Tx, group_id: str) -> list[str]:
    return tx.scalars(sa.select(memberships.c.user_id).where(memberships.c.group_id == group_id))


def join_many(tx: Tx, pairs: list[tuple[str, str]]) -> None:
    """Pairs of group and user."""
    tx.insert_many(memberships, [{"user_id": user_id, "group_id": group_id} for group_id, user_id in pairs])


def leave_many(tx: Tx, group_id: str, user_ids: list[str]) -> None:
    for start in range(0, len(user_ids), 500):
        some = memberships.c.user_id.in_(user_ids[start : start + 500])
        tx.execute(memberships.delete().where(memberships.c.group_id == group_id, some))


def leave(tx: Tx, group_id: str, user_id: str) -> int:
    return tx.execute(_membership(group_id, user_id, memberships.delete()))


def has(tx: Tx, group_id: str, user_id: str) -> bool:
    return tx.scalar(_membership(group_id, user_id, sa.select(memberships.c.user_id))) is not None


def _membership(group_id: str, user_id: str, statement: Any) -> Any:
    return statement.where(memberships.c.group_id == group_id, memberships.c.user_id == user_id)


def ids_of_user(tx: Tx, user_id: str) -> list[str]:
    return tx.scalars(sa.select(memberships.c.group_id).where(memberships.c.user_id == user_id))


def lasting_of_user(tx: Tx, user_id: str) -> list[tuple[str, float]]:
    """Group and end of each membership that lasts for a time."""
    rows: list[Any] = tx.all(sa.select(lasting.c.group_id, lasting.c.ends_at).where(lasting.c.user_id == user_id))
    return [(row.group_id, row.ends_at) for row in rows]


def put_lasting(tx: Tx, user_id: str, idp_id: str, group_ids: list[str], ends_at: float) -> None:
    """What this provider says now takes the place of what it said before."""
    tx.execute(lasting.delete().where(lasting.c.user_id == user_id, lasting.c.idp_id == idp_id))
    rows = [{"user_id": user_id, "idp_id": idp_id, "group_id": id, "ends_at": ends_at} for id in group_ids]
    tx.insert_many(lasting, rows)


def forget_provider(tx: Tx, idp_id: str) -> None:
    tx.execute(lasting.delete().where(lasting.c.idp_id == idp_id))


def user_ids(tx: Tx, group_ids: list[str]) -> list[tuple[str, str]]:
    """Pairs of group and user."""
    query = sa.select(memberships.c.group_id, memberships.c.user_id).where(memberships.c.group_id.in_(group_ids))
    rows: list[Any] = tx.all(query)
    return [(row.group_id, row.user_id) for row in rows]


def forget_user(tx: Tx, user_id: str) -> None:
    tx.execute(lasting.delete().where(lasting.c.user_id == user_id))
    tx.execute(memberships.delete().where(memberships.c.user_id == user_id))
