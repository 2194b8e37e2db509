from typing import Any

import sqlalchemy as sa

from pilvi.identity.endpoint_groups.model import EndpointGroup
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import part, track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

groups = sa.Table(
    "identity_endpoint_groups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("filters", Json, nullable=False),
)
track(groups, "endpoint_group", "name description filters", project="")
project_groups = sa.Table(
    "identity_project_endpoint_groups",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("group_id", sa.String(64), primary_key=True),
)
part(project_groups, "project", "project_id", "endpoint group {group_id}")
project_endpoints = sa.Table(
    "identity_project_endpoints",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("endpoint_id", sa.String(64), primary_key=True),
)
part(project_endpoints, "project", "project_id", "endpoint {endpoint_id}")


def add(tx: Tx, group: EndpointGroup) -> None:
    tx.insert(groups, group)


def find(tx: Tx, id: str) -> EndpointGroup | None:
    return tx.first(sa.select(groups).where(groups.c.id == id), EndpointGroup)


def search(tx: Tx, query: Query) -> Page[EndpointGroup]:
    return page(tx, groups, EndpointGroup, query, {"name": groups.c.name})


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(groups.update().where(groups.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(project_groups.delete().where(project_groups.c.group_id == id))
    tx.execute(groups.delete().where(groups.c.id == id))


def of_project(tx: Tx, project_id: str) -> list[EndpointGroup]:
    mine = sa.select(project_groups.c.group_id).where(project_groups.c.project_id == project_id)
    return tx.all(sa.select(groups).where(groups.c.id.in_(mine)).order_by(groups.c.id), EndpointGroup)


def projects_of_group(tx: Tx, id: str) -> list[str]:
    return tx.scalars(sa.select(project_groups.c.project_id).where(project_groups.c.group_id == id))


def add_group(tx: Tx, project_id: str, id: str) -> None:
    taken = Conflict(f"Project {project_id} has endpoint group {id} already.")
    tx.insert(project_groups, {"project_id": project_id, "group_id": id}, duplicate=taken)


def has_group(tx: Tx, project_id: str, id: str) -> bool:
    return tx.scalar(sa.select(project_groups.c.group_id).filter_by(project_id=project_id, group_id=id)) is not None


def remove_group(tx: Tx, project_id: str, id: str) -> int:
    return tx.execute(project_groups.delete().filter_by(project_id=project_id, group_id=id))


def endpoints_of_project(tx: Tx, project_id: str) -> list[str]:
    mine = project_endpoints.c.project_id == project_id
    return tx.scalars(sa.select(project_endpoints.c.endpoint_id).where(mine))


def projects_of_endpoint(tx: Tx, endpoint_id: str) -> list[str]:
    this = project_endpoints.c.endpoint_id == endpoint_id
    return tx.scalars(sa.select(project_endpoints.c.project_id).where(this))


def add_endpoint(tx: Tx, project_id: str, endpoint_id: str) -> None:
    row = {"project_id": project_id, "endpoint_id": endpoint_id}
    tx.upsert(project_endpoints, row, keys=("project_id", "endpoint_id"))


def remove_endpoint(tx: Tx, project_id: str, endpoint_id: str) -> int:
    return tx.execute(project_endpoints.delete().filter_by(project_id=project_id, endpoint_id=endpoint_id))


def any_filter(tx: Tx) -> bool:
    one = tx.scalar(sa.select(project_endpoints.c.project_id).limit(1))
    return one is not None or tx.scalar(sa.select(project_groups.c.project_id).limit(1)) is not None


def forget_project(tx: Tx, project_id: str) -> None:
    tx.execute(project_groups.delete().where(project_groups.c.project_id == project_id))
    tx.execute(project_endpoints.delete().where(project_endpoints.c.project_id == project_id))


def forget_endpoint(tx: Tx, endpoint_id: str) -> None:
    tx.execute(project_endpoints.delete().where(project_endpoints.c.endpoint_id == endpoint_id))
