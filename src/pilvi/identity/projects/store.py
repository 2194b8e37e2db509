"""Projects and domains: one table, because both carry grants, names and trees."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pilvi.identity.projects.model import Project
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

projects = sa.Table(
    "identity_projects",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("parent_id", sa.String(64), nullable=False),
    sa.Column("is_domain", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.Column("tokens_after", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("domain_id", "name", name="identity_projects_name"),
    sa.Index("identity_projects_parent", "parent_id"),
)
track(projects, "project", "name domain_id parent_id is_domain enabled description tags options extra", project="")
_COLUMNS = {
    "name": projects.c.name,
    "enabled": projects.c.enabled,
    "description": projects.c.description,
    "parent_id": projects.c.parent_id,
    "domain_id": projects.c.domain_id,
    "id": projects.c.id,
}


def taken(name: str, is_domain: bool) -> Conflict:
    kind = "domain" if is_domain else "project"
    return Conflict(f"It is not permitted to have two {kind}s with the same name in one domain: {name}.")


def add(tx: Tx, project: Project) -> None:
    tx.insert(projects, project, duplicate=taken(project.name, project.is_domain))


def find(tx: Tx, id: str) -> Project | None:
    return tx.first(sa.select(projects).where(projects.c.id == id), Project)


def find_named(tx: Tx, domain_id: str, name: str) -> Project | None:
    query = sa.select(projects).where(projects.c.domain_id == domain_id, projects.c.name == name)
    return tx.first(query, Project)


def find_many(tx: Tx, ids: Iterable[str]) -> list[Project]:
    wanted = sorted(set(ids))
    found: list[Project] = []
    for start in range(0, len(wanted), 500):
        query = sa.select(projects).where(projects.c.id.in_(wanted[start : start + 500])).order_by(projects.c.name)
        found += tx.all(query, Project)
    return found


def children(tx: Tx, parent_ids: list[str]) -> list[Project]:
    query = sa.select(projects).where(projects.c.parent_id.in_(parent_ids)).order_by(projects.c.name)
    return tx.all(query, Project)


def in_domain(tx: Tx, domain_id: str) -> list[Project]:
    return tx.all(sa.select(projects).where(projects.c.domain_id == domain_id), Project)


def search(tx: Tx, query: Query, *, domains: bool, domain_id: str | None = None) -> Page[Project]:
    fixed: dict[str, Any] = {"is_domain": domains}
    if domain_id is not None:
        fixed["id" if domains else "domain_id"] = domain_id
    return page(tx, projects, Project, query, _COLUMNS, **fixed)


def update(tx: Tx, project: Project, changes: dict[str, Any]) -> None:
    taken_fault = taken(str(changes.get("name", project.name)), project.is_domain)
    tx.execute(projects.update().where(projects.c.id == project.id).values(changes), duplicate=taken_fault)


def delete(tx: Tx, id: str) -> None:
    tx.execute(projects.delete().where(projects.c.id == id))
