from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pilvi.identity.role_assignments.model import Assignment
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import part

assignments = sa.Table(
    "identity_role_assignments",
    metadata,
    sa.Column("actor_id", sa.String(64), primary_key=True),
    sa.Column("actor_type", sa.String(8), primary_key=True),
    sa.Column("target_type", sa.String(8), primary_key=True),
    sa.Column("target_id", sa.String(64), primary_key=True),
    sa.Column("role_id", sa.String(64), primary_key=True),
    sa.Column("inherited", sa.Boolean, primary_key=True),
    sa.Index("identity_role_assignments_target", "target_id"),
    sa.Index("identity_role_assignments_role", "role_id"),
)
GRANTED = "role {role_id} on {target_type} {target_id} inherited {inherited}"
GIVEN = "role {role_id} of {actor_type} {actor_id} inherited {inherited}"
for actor in ("user", "group"):
    part(assignments, actor, "actor_id", GRANTED, actor_type=actor)
for target in ("project", "domain"):  # A domain is a project.
    part(assignments, "project", "target_id", GIVEN, target_type=target)
_KEYS = ("actor_id", "actor_type", "target_type", "target_id", "role_id", "inherited")


def _this(assignment: Assignment) -> list[Any]:
    return [assignments.c[name] == getattr(assignment, name) for name in _KEYS]


def add(tx: Tx, assignment: Assignment) -> None:
    tx.upsert(assignments, assignment, keys=_KEYS)


def has(tx: Tx, assignment: Assignment) -> bool:
    return tx.scalar(sa.select(assignments.c.role_id).where(*_this(assignment))) is not None


def delete(tx: Tx, assignment: Assignment) -> int:
    return tx.execute(assignments.delete().where(*_this(assignment)))


def of_actors(tx: Tx, actor_ids: Sequence[str]) -> list[Assignment]:
    return tx.all(sa.select(assignments).where(assignments.c.actor_id.in_(actor_ids)), Assignment)


def of_actors_on(tx: Tx, actor_ids: Sequence[str], target_ids: Sequence[str]) -> list[Assignment]:
    query = sa.select(assignments).where(assignments.c.actor_id.in_(actor_ids), assignments.c.target_id.in_(target_ids))
    return tx.all(query, Assignment)


def search(tx: Tx, **given: Any) -> list[Assignment]:
    """Grants whose columns have these values; a list means any of them, None that it does not matter."""
    where = []
    for name, value in given.items():
        if isinstance(value, list):
            where.append(assignments.c[name].in_(value))
        elif value is not None:
            where.append(assignments.c[name] == value)
    query = sa.select(assignments).where(*where).order_by(assignments.c.target_id, assignments.c.actor_id)
    return tx.all(query.order_by(assignments.c.role_id), Assignment)


def forget_actor(tx: Tx, actor_type: str, id: str) -> None:
    tx.execute(assignments.delete().where(assignments.c.actor_type == actor_type, assignments.c.actor_id == id))


def forget_target(tx: Tx, id: str) -> None:
    tx.execute(assignments.delete().where(assignments.c.target_id == id))


def forget_role(tx: Tx, id: str) -> None:
    tx.execute(assignments.delete().where(assignments.c.role_id == id))
