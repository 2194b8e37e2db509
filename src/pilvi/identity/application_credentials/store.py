from typing import Any

import sqlalchemy as sa

from pilvi.identity.application_credentials.model import AccessRule, ApplicationCredential
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

credentials = sa.Table(
    "identity_application_credentials",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.String(255), nullable=False),
    sa.Column("role_ids", Json, nullable=False),
    sa.Column("unrestricted", sa.Boolean, nullable=False),
    sa.Column("expires_at", sa.String(27), nullable=True),
    sa.Column("access_rule_ids", Json, nullable=True),
    sa.Column("parent_id", sa.String(64), nullable=False),
    sa.UniqueConstraint("user_id", "name", name="identity_application_credentials_name"),
    sa.Index("identity_application_credentials_project", "project_id"),
    sa.Index("identity_application_credentials_parent", "parent_id"),
)
track(
    credentials, "application_credential",
    "name user_id project_id description role_ids unrestricted expires_at access_rule_ids parent_id",
    hidden="secret_hash",
)  # fmt: skip
access_rules = sa.Table(
    "identity_access_rules",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("service", sa.String(64), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("path", sa.String(128), nullable=False),
    sa.UniqueConstraint("user_id", "service", "method", "path", name="identity_access_rules_same"),
)
track(access_rules, "access_rule", "user_id service method path", name="id", project="")


def add(tx: Tx, credential: ApplicationCredential) -> None:
    taken = Conflict(f"The user has an application credential named {credential.name} already.")
    tx.insert(credentials, credential, duplicate=taken)


def find(tx: Tx, id: str) -> ApplicationCredential | None:
    return tx.first(sa.select(credentials).where(credentials.c.id == id), ApplicationCredential)


def find_named(tx: Tx, user_id: str, name: str) -> ApplicationCredential | None:
    query = sa.select(credentials).where(credentials.c.user_id == user_id, credentials.c.name == name)
    return tx.first(query, ApplicationCredential)


def of_user(tx: Tx, user_id: str, query: Query) -> Page[ApplicationCredential]:
    columns = {"name": credentials.c.name, "id": credentials.c.id}
    return page(tx, credentials, ApplicationCredential, query, columns, user_id=user_id)


def all_of_user(tx: Tx, user_id: str) -> list[ApplicationCredential]:
    return tx.all(sa.select(credentials).where(credentials.c.user_id == user_id), ApplicationCredential)


def children(tx: Tx, id: str) -> list[str]:
    return tx.scalars(sa.select(credentials.c.id).where(credentials.c.parent_id == id))


def count(tx: Tx, user_id: str) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(credentials).where(credentials.c.user_id == user_id)) or 0


def count_rules(tx: Tx, user_id: str) -> int:
    mine = access_rules.c.user_id == user_id
    return tx.scalar(sa.select(sa.func.count()).select_from(access_rules).where(mine)) or 0


def delete(tx: Tx, id: str) -> None:
    tx.execute(credentials.delete().where(credentials.c.id == id))


def forget_user(tx: Tx, user_id: str) -> None:
    tx.execute(credentials.delete().where(credentials.c.user_id == user_id))
    tx.execute(access_rules.delete().where(access_rules.c.user_id == user_id))


def forget_project(tx: Tx, project_id: str) -> None:
    tx.execute(credentials.delete().where(credentials.c.project_id == project_id))


# ---- access rules ------------------------------------------------------------------------------------------------


def add_rule(tx: Tx, rule: AccessRule) -> None:
    tx.insert(access_rules, rule)


def find_same_rule(tx: Tx, user_id: str, service: str, method: str, path: str) -> AccessRule | None:
    query = sa.select(access_rules).filter_by(user_id=user_id, service=service, method=method, path=path)
    return tx.first(query, AccessRule)


def find_rule(tx: Tx, user_id: str, id: str) -> AccessRule | None:
    return tx.first(sa.select(access_rules).filter_by(user_id=user_id, id=id), AccessRule)


def rules(tx: Tx, ids: list[str]) -> list[AccessRule]:
    return tx.all(sa.select(access_rules).where(access_rules.c.id.in_(ids)), AccessRule)


def rules_of_user(tx: Tx, user_id: str, query: Query) -> Page[AccessRule]:
    columns: dict[str, Any] = {name: access_rules.c[name] for name in ("service", "method", "path")}
    return page(tx, access_rules, AccessRule, query, columns, user_id=user_id)


def delete_rule(tx: Tx, id: str) -> None:
    tx.execute(access_rules.delete().where(access_rules.c.id == id))
