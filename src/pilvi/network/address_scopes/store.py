"""The only SQL for address scopes."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.address_scopes.model import AddressScope
from pilvi.network.standard import store as standard

address_scopes = sa.Table(
    "network_address_scopes",
    metadata,
    *standard.columns(),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Index("network_address_scopes_by_project", "project_id"),
)
track(
    address_scopes, "address_scope",
    "name description project_id ip_version",
)  # fmt: skip

listing = standard.Listing(
    "AddressScope", address_scopes, AddressScope, standard.attributes(address_scopes, "ip_version")
)


def visible(project_id: str, shared: list[str]) -> Any:
    return sa.or_(address_scopes.c.project_id == project_id, address_scopes.c.id.in_(shared))


def among(ids: list[str]) -> Any:
    return address_scopes.c.id.in_(ids)


def page(tx: Tx, query: Query, where: list[Any]) -> Page[AddressScope]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> AddressScope | None:
    found: AddressScope | None = standard.find(tx, listing, id)
    return found


def add(tx: Tx, scope: AddressScope) -> None:
    tx.insert(address_scopes, scope)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, address_scopes, id, changes)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, address_scopes, id)
