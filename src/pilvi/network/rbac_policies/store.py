"""The only SQL for sharing."""

import sqlalchemy as sa

from pilvi.kernel.db import Row, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track
from pilvi.network.rbac_policies.model import EVERYBODY, RbacPolicy

rbac_policies = sa.Table(
    "network_rbac_policies",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("object_type", sa.String(32), nullable=False),
    sa.Column("object_id", sa.String(36), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("target_project", sa.String(64), nullable=False),
    sa.Index("network_rbac_policies_once", "object_id", "object_type", "action", "target_project", unique=True),
    sa.Index("network_rbac_policies_by_target", "object_type", "target_project"),
    sa.Index("network_rbac_policies_by_project", "project_id"),
)
track(rbac_policies, "rbac_policy", "project_id object_type object_id action target_project", name="id")


def add(tx: Tx, one: RbacPolicy, taken: Conflict) -> None:
    tx.insert(rbac_policies, one, duplicate=taken)


def access(tx: Tx, object_type: str, project_id: str) -> list[tuple[str, str]]:
    """Object and action of everything that the project or everybody may use."""
    query = sa.select(rbac_policies.c.object_id, rbac_policies.c.action).where(
        rbac_policies.c.object_type == object_type, rbac_policies.c.target_project.in_([EVERYBODY, project_id])
    )
    rows: list[Row] = tx.all(query)
    return [(row.object_id, row.action) for row in rows]


def of_object(tx: Tx, object_id: str) -> list[RbacPolicy]:
    return tx.all(sa.select(rbac_policies).where(rbac_policies.c.object_id == object_id), RbacPolicy)


def find(tx: Tx, id: str) -> RbacPolicy | None:
    return tx.first(sa.select(rbac_policies).where(rbac_policies.c.id == id), RbacPolicy)


def list_(tx: Tx, project_id: str | None, filters: dict[str, list[str]]) -> list[RbacPolicy]:
    query = sa.select(rbac_policies).order_by(rbac_policies.c.id)
    if project_id is not None:
        query = query.where(
            sa.or_(rbac_policies.c.project_id == project_id, rbac_policies.c.target_project == project_id)
        )
    for name, values in filters.items():
        query = query.where(rbac_policies.c[name].in_(values))
    return tx.all(query, RbacPolicy)


def retarget(tx: Tx, id: str, target_project: str, taken: Conflict) -> None:
    change = rbac_policies.update().where(rbac_policies.c.id == id).values(target_project=target_project)
    tx.execute(change, duplicate=taken)


def delete(tx: Tx, id: str) -> None:
    tx.execute(rbac_policies.delete().where(rbac_policies.c.id == id))


def delete_of_object(tx: Tx, object_id: str) -> None:
    tx.execute(rbac_policies.delete().where(rbac_policies.c.object_id == object_id))


def count(tx: Tx, project_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(rbac_policies).where(rbac_policies.c.project_id == project_id)
    return int(tx.scalar(query))
