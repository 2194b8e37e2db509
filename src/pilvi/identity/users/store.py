"""Users and the passwords that they had."""

from typing import Any

import sqlalchemy as sa

from pilvi.identity.users.model import User
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

users = sa.Table(
    "identity_users",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("default_project_id", sa.String(64), nullable=True),
    sa.Column("password_hash", sa.String(255), nullable=True),
    sa.Column("password_changed_at", sa.String(27), nullable=True),
    sa.Column("password_expires_at", sa.String(27), nullable=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failed_at", sa.Float, nullable=False),
    sa.Column("tokens_after", sa.BigInteger, nullable=False),
    sa.Column("active_at", sa.Float, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name", name="identity_users_name"),
    sa.Index("identity_users_default_project", "default_project_id"),
)
old_passwords = sa.Table(
    "identity_old_passwords",
    metadata,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("changed_at", sa.String(27), primary_key=True),
    sa.Column("password_hash", sa.String(255), nullable=False),
)
_COLUMNS = {n: users.c[n] for n in ("id", "name", "domain_id", "enabled", "default_project_id")}


def taken(name: str) -> Conflict:
    return Conflict(f"Conflict occurred attempting to store user - Duplicate entry found with name {name}.")


def add(tx: Tx, user: User) -> None:
    tx.insert(users, user, duplicate=taken(user.name))


def find(tx: Tx, id: str) -> User | None:
    return tx.first(sa.select(users).where(users.c.id == id), User)


def find_named(tx: Tx, domain_id: str, name: str) -> User | None:
    return tx.first(sa.select(users).where(users.c.domain_id == domain_id, users.c.name == name), User)


def find_many(tx: Tx, ids: list[str]) -> list[User]:
    found: list[User] = []
    for start in range(0, len(ids), 500):
        query = sa.select(users).where(users.c.id.in_(ids[start : start + 500])).order_by(users.c.name)
        found += tx.all(query, User)
    return found


def in_domain(tx: Tx, domain_id: str) -> list[str]:
    return tx.scalars(sa.select(users.c.id).where(users.c.domain_id == domain_id))


def search(tx: Tx, query: Query, domain_id: str | None, expiry: tuple[str, str] | None) -> Page[User]:
    where: list[Any] = []
    fixed = {} if domain_id is None else {"domain_id": domain_id}
    if expiry is not None:
        column, (operator, moment) = users.c.password_expires_at, expiry
        compare = {"lt": column < moment, "lte": column <= moment, "gt": column > moment, "gte": column >= moment}
        compare |= {"eq": column == moment, "neq": column != moment}
        where.append(compare[operator])
    return page(tx, users, User, query, _COLUMNS, where, **fixed)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(users.update().where(users.c.id == id).values(changes), duplicate=taken(str(changes.get("name"))))


def remember_password(tx: Tx, user_id: str, changed_at: str, password_hash: str) -> None:
    row = {"user_id": user_id, "changed_at": changed_at, "password_hash": password_hash}
    tx.upsert(old_passwords, row, keys=("user_id", "changed_at"))


def last_passwords(tx: Tx, user_id: str, count: int) -> list[str]:
    query = sa.select(old_passwords.c.password_hash).where(old_passwords.c.user_id == user_id)
    return tx.scalars(query.order_by(old_passwords.c.changed_at.desc()).limit(count))


def forget_default_project(tx: Tx, project_id: str) -> None:
    tx.execute(users.update().where(users.c.default_project_id == project_id).values(default_project_id=None))


def delete(tx: Tx, id: str) -> None:
    tx.execute(old_passwords.delete().where(old_passwords.c.user_id == id))
    tx.execute(users.delete().where(users.c.id == id))
