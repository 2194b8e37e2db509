"""Quota limits per service and project. Usage is never stored: the services count their own rows in the transaction."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import part

limits = sa.Table(
    "kernel_quotas",
    metadata,
    sa.Column("service", sa.String(32), primary_key=True),
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("resource", sa.String(64), primary_key=True),
    sa.Column("limit", sa.Integer, nullable=False),
)
part(limits, "project", "project_id", "quota {service} {resource}", "limit")

DEFAULTS = "*"
"""The project id under which an operator's own defaults are kept."""


def of(tx: Tx, service: str, project_id: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """The limits in force: built-in defaults, overlaid by the cloud's, overlaid by the project's; -1 is unlimited."""
    query = sa.select(limits.c.project_id, limits.c.resource, limits.c.limit).where(
        limits.c.service == service, limits.c.project_id.in_([DEFAULTS, project_id])
    )
    rows: list[Any] = sorted(tx.all(query), key=lambda row: row.project_id != DEFAULTS)
    return dict(defaults) | {row.resource: row.limit for row in rows if row.resource in defaults}


def put(tx: Tx, service: str, project_id: str, values: Mapping[str, int]) -> None:
    for resource, limit in values.items():
        row = {"service": service, "project_id": project_id, "resource": resource, "limit": limit}
        tx.upsert(limits, row, keys=("service", "project_id", "resource"))


def reset(tx: Tx, service: str, project_id: str) -> None:
    tx.execute(limits.delete().where(limits.c.service == service, limits.c.project_id == project_id))


def projects(tx: Tx, service: str) -> list[str]:
    """Projects that have limits of their own."""
    query = sa.select(limits.c.project_id).where(limits.c.service == service, limits.c.project_id != DEFAULTS)
    return sorted(set(tx.scalars(query)))
