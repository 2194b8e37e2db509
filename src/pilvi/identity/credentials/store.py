from typing import Any

import sqlalchemy as sa

from pilvi.identity.credentials.model import Credential
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict, Fault
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

credentials = sa.Table(
    "identity_credentials",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=True),
    sa.Column("encrypted_blob", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.Index("identity_credentials_user", "user_id", "type"),
)
track(credentials, "credential", "type user_id project_id extra", name="id", hidden="encrypted_blob")
used_passcodes = sa.Table(
    "identity_used_passcodes",
    metadata,
    sa.Column("credential_id", sa.String(64), primary_key=True),
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
)
_COLUMNS = {n: credentials.c[n] for n in ("id", "type", "user_id", "project_id")}


def add(tx: Tx, credential: Credential) -> None:
    tx.insert(credentials, credential, duplicate=Conflict("There is a credential with this access key already."))


def find(tx: Tx, id: str) -> Credential | None:
    return tx.first(sa.select(credentials).where(credentials.c.id == id), Credential)


def search(tx: Tx, query: Query, user_id: str | None) -> Page[Credential]:
    fixed = {} if user_id is None else {"user_id": user_id}
    return page(tx, credentials, Credential, query, _COLUMNS, **fixed)


def of_user(tx: Tx, user_id: str, type: str) -> list[Credential]:
    query = sa.select(credentials).where(credentials.c.user_id == user_id, credentials.c.type == type)
    return tx.all(query.order_by(credentials.c.id), Credential)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(credentials.update().where(credentials.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(used_passcodes.delete().where(used_passcodes.c.credential_id == id))
    tx.execute(credentials.delete().where(credentials.c.id == id))


def encrypted_after(tx: Tx, id: str, limit: int) -> list[tuple[str, str]]:
    query = sa.select(credentials.c.id, credentials.c.encrypted_blob).where(credentials.c.id > id)
    rows: list[Any] = tx.all(query.order_by(credentials.c.id).limit(limit))
    return [(row.id, row.encrypted_blob) for row in rows]


def count(tx: Tx, user_id: str) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(credentials).where(credentials.c.user_id == user_id)) or 0


def use_passcode(tx: Tx, credential_id: str, step: int, *, forget_before: int, used: Fault) -> None:
    """Mark the passcode of one step as used; raises `used` when it was before."""
    old = (used_passcodes.c.credential_id == credential_id, used_passcodes.c.step < forget_before)
    tx.execute(used_passcodes.delete().where(*old))
    tx.insert(used_passcodes, {"credential_id": credential_id, "step": step}, duplicate=used)


def forget_user(tx: Tx, user_id: str) -> None:
    mine = sa.select(credentials.c.id).where(credentials.c.user_id == user_id)
    tx.execute(used_passcodes.delete().where(used_passcodes.c.credential_id.in_(mine)))
    tx.execute(credentials.delete().where(credentials.c.user_id == user_id))


def forget_project(tx: Tx, project_id: str) -> None:
    tx.execute(credentials.delete().where(credentials.c.project_id == project_id))
