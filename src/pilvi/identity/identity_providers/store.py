from typing import Any

import sqlalchemy as sa

from pilvi.identity.identity_providers.model import IdentityProvider, Protocol
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import part, track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

providers = sa.Table(
    "identity_identity_providers",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("authorization_ttl", sa.Integer, nullable=True),
    sa.Column("remote_ids", Json, nullable=False),
)
track(
    providers, "identity_provider", "domain_id enabled description authorization_ttl remote_ids", name="id", project=""
)
remote_ids = sa.Table(
    "identity_remote_ids",
    metadata,
    sa.Column("remote_id", sa.String(255), primary_key=True),
    sa.Column("idp_id", sa.String(64), nullable=False),
)
protocols = sa.Table(
    "identity_protocols",
    metadata,
    sa.Column("idp_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("mapping_id", sa.String(64), nullable=False),
    sa.Column("remote_id_attribute", sa.String(64), nullable=True),
)
part(protocols, "identity_provider", "idp_id", "protocol {id}", "mapping_id remote_id_attribute")


def add(tx: Tx, provider: IdentityProvider) -> None:
    tx.insert(providers, provider, duplicate=Conflict(f"There is an identity provider {provider.id} already."))
    put_remote_ids(tx, provider.id, provider.remote_ids)


def put_remote_ids(tx: Tx, idp_id: str, wanted: list[str]) -> None:
    """Each remote id leads to one provider."""
    tx.execute(remote_ids.delete().where(remote_ids.c.idp_id == idp_id))
    taken = Conflict("One of the remote ids belongs to another identity provider.")
    for remote_id in wanted:
        tx.insert(remote_ids, {"remote_id": remote_id, "idp_id": idp_id}, duplicate=taken)


def find(tx: Tx, id: str) -> IdentityProvider | None:
    return tx.first(sa.select(providers).where(providers.c.id == id), IdentityProvider)


def search(tx: Tx, query: Query) -> Page[IdentityProvider]:
    return page(tx, providers, IdentityProvider, query, {"id": providers.c.id, "enabled": providers.c.enabled})


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(providers.update().where(providers.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(protocols.delete().where(protocols.c.idp_id == id))
    tx.execute(remote_ids.delete().where(remote_ids.c.idp_id == id))
    tx.execute(providers.delete().where(providers.c.id == id))


def of_domain(tx: Tx, domain_id: str) -> list[str]:
    return tx.scalars(sa.select(providers.c.id).where(providers.c.domain_id == domain_id))


# ---- protocols ---------------------------------------------------------------------------------------------------


def add_protocol(tx: Tx, protocol: Protocol) -> None:
    taken = Conflict(f"The identity provider {protocol.idp_id} has a protocol {protocol.id} already.")
    tx.insert(protocols, protocol, duplicate=taken)


def find_protocol(tx: Tx, idp_id: str, id: str) -> Protocol | None:
    return tx.first(sa.select(protocols).filter_by(idp_id=idp_id, id=id), Protocol)


def protocols_of(tx: Tx, idp_id: str) -> list[Protocol]:
    return tx.all(sa.select(protocols).where(protocols.c.idp_id == idp_id).order_by(protocols.c.id), Protocol)


def idps_with_protocol(tx: Tx, id: str) -> list[str]:
    return tx.scalars(sa.select(protocols.c.idp_id).where(protocols.c.id == id).order_by(protocols.c.idp_id))


def update_protocol(tx: Tx, protocol: Protocol, changes: dict[str, Any]) -> None:
    tx.execute(protocols.update().filter_by(idp_id=protocol.idp_id, id=protocol.id).values(changes))


def delete_protocol(tx: Tx, protocol: Protocol) -> None:
    tx.execute(protocols.delete().filter_by(idp_id=protocol.idp_id, id=protocol.id))
