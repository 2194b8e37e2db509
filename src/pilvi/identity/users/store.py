"""Users and the passwords that they had."""

from typing import Any

import sqlalchemy as sa

from pilvi.identity.users.model import DIRECTORY, User
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import part, track
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
    sa.Column("origin", sa.String(64), nullable=False),
    sa.Column("federated", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name", "origin", name="identity_users_name"),
    sa.Index("identity_users_default_project", "default_project_id"),
)
track(
    users, "user", "name domain_id enabled default_project_id origin options extra federated", project="",
    hidden="password_hash",
)  # fmt: skip
federated_users = sa.Table(
    "identity_federated_users",
    metadata,
    sa.Column("idp_id", sa.String(64), primary_key=True),
    sa.Column("protocol_id", sa.String(64), primary_key=True),
    sa.Column("unique_id", sa.String(255), primary_key=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Index("identity_federated_users_user", "user_id"),
)
part(federated_users, "user", "user_id", "federated as {unique_id} of {idp_id} {protocol_id}")
"""What `federated` of a user says, to find the user by."""
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
    """Who logs in by a name: accounts of ours and those of a directory."""
    named = (users.c.domain_id == domain_id, users.c.name == name, users.c.origin.in_(("", DIRECTORY)))
    return tx.first(sa.select(users).where(*named).order_by(users.c.origin), User)


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
    asked = {n: query.get(n) for n in ("idp_id", "protocol_id", "unique_id") if n in query}
    if asked:
        where.append(users.c.id.in_(sa.select(federated_users.c.user_id).filter_by(**asked)))
    return page(tx, users, User, query, _COLUMNS, where, **fixed)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(users.update().where(users.c.id == id).values(changes), duplicate=taken(str(changes.get("name"))))


def find_federated(tx: Tx, idp_id: str, protocol_id: str, unique_id: str) -> str | None:
    """The id of the user who is called so there."""
    query = sa.select(federated_users.c.user_id).filter_by(idp_id=idp_id, protocol_id=protocol_id)
    found: str | None = tx.scalar(query.filter_by(unique_id=unique_id))
    return found


def put_federated(tx: Tx, user_id: str, names: list[tuple[str, str, str]]) -> None:
    """Provider, protocol and name there of one user, in place of what there was."""
    tx.execute(federated_users.delete().where(federated_users.c.user_id == user_id))
    taken = Conflict("Another user is called so at this identity provider.")
    for idp_id, protocol_id, unique_id in names:
        row = {"idp_id": idp_id, "protocol_id": protocol_id, "unique_id": unique_id, "user_id": user_id}
        tx.insert(federated_users, row, duplicate=taken)


def from_provider(tx: Tx, idp_id: str) -> list[str]:
    return tx.scalars(sa.select(federated_users.c.user_id).where(federated_users.c.idp_id == idp_id).distinct())


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
    tx.execute(federated_users.delete().where(federated_users.c.user_id == id))
    tx.execute(users.delete().where(users.c.id == id))
