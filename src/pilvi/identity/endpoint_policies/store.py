from typing import Any

import sqlalchemy as sa

from pilvi.identity.endpoint_policies.model import Target
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import part

associations = sa.Table(
    "identity_endpoint_policies",
    metadata,
    sa.Column("endpoint_id", sa.String(64), primary_key=True),
    sa.Column("service_id", sa.String(64), primary_key=True),
    sa.Column("region_id", sa.String(255), primary_key=True),
    sa.Column("policy_id", sa.String(64), nullable=False),
)
part(associations, "policy", "policy_id", "for endpoint {endpoint_id} service {service_id} region {region_id}")
_KEYS = ("endpoint_id", "service_id", "region_id")


def _this(target: Target) -> list[Any]:
    return [associations.c[name] == getattr(target, name) for name in _KEYS]


def put(tx: Tx, target: Target, policy_id: str) -> None:
    row = {name: getattr(target, name) for name in _KEYS} | {"policy_id": policy_id}
    tx.upsert(associations, row, keys=_KEYS)


def find(tx: Tx, target: Target) -> str | None:
    found: str | None = tx.scalar(sa.select(associations.c.policy_id).where(*_this(target)))
    return found


def delete(tx: Tx, target: Target) -> None:
    tx.execute(associations.delete().where(*_this(target)))


def everything(tx: Tx) -> dict[Target, str]:
    rows: list[Any] = tx.all(sa.select(associations))
    return {Target(row.endpoint_id, row.service_id, row.region_id): row.policy_id for row in rows}


def forget(tx: Tx, **named: str) -> None:
    where = [associations.c[name] == value for name, value in named.items()]
    tx.execute(associations.delete().where(*where))
