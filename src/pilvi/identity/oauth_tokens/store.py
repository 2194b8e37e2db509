from typing import Any

import sqlalchemy as sa

from pilvi.identity.oauth_tokens.model import OAuthToken
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Fault
from pilvi.kernel.history import track

oauth_tokens = sa.Table(
    "identity_oauth_tokens",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consumer_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("encrypted_secret", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("is_access", sa.Boolean, nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("role_ids", Json, nullable=False),
    sa.Column("verifier_hash", sa.String(80), nullable=False),
    sa.Index("identity_oauth_tokens_consumer", "consumer_id"),
    sa.Index("identity_oauth_tokens_user", "user_id"),
    sa.Index("identity_oauth_tokens_project", "project_id"),
)
track(
    oauth_tokens, "oauth_token", "consumer_id project_id expires_at is_access user_id role_ids", name="id",
    hidden="encrypted_secret verifier_hash",
)  # fmt: skip
nonces = sa.Table(
    "identity_oauth_nonces",
    metadata,
    sa.Column("consumer_id", sa.String(64), primary_key=True),
    sa.Column("nonce", sa.String(64), primary_key=True),
    sa.Column("forget_at", sa.Float, nullable=False),
    sa.Index("identity_oauth_nonces_end", "forget_at"),
)


def add(tx: Tx, token: OAuthToken) -> None:
    tx.insert(oauth_tokens, token)


def find(tx: Tx, id: str) -> OAuthToken | None:
    return tx.first(sa.select(oauth_tokens).where(oauth_tokens.c.id == id), OAuthToken)


def of_user(tx: Tx, user_id: str) -> list[OAuthToken]:
    mine = (oauth_tokens.c.user_id == user_id, oauth_tokens.c.is_access == sa.true())
    return tx.all(sa.select(oauth_tokens).where(*mine).order_by(oauth_tokens.c.id), OAuthToken)


def count_of_consumer(tx: Tx, consumer_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(oauth_tokens).where(oauth_tokens.c.consumer_id == consumer_id)
    return tx.scalar(query) or 0


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(oauth_tokens.update().where(oauth_tokens.c.id == id).values(changes))


def forget(tx: Tx, **named: Any) -> None:
    where = [oauth_tokens.c[name] == value for name, value in named.items()]
    tx.execute(oauth_tokens.delete().where(*where))


def forget_ended(tx: Tx, consumer_id: str, now: float) -> None:
    tx.execute(oauth_tokens.delete().where(oauth_tokens.c.consumer_id == consumer_id, oauth_tokens.c.expires_at < now))


def use_nonce(tx: Tx, consumer_id: str, nonce: str, *, now: float, forget_at: float, used: Fault) -> None:
    """Raises `used` for a request that was made before."""
    tx.execute(nonces.delete().where(nonces.c.forget_at < now))
    row = {"consumer_id": consumer_id, "nonce": nonce, "forget_at": forget_at}
    tx.insert(nonces, row, duplicate=used)


def encrypted_after(tx: Tx, id: str, limit: int) -> list[tuple[str, str]]:
    query = sa.select(oauth_tokens.c.id, oauth_tokens.c.encrypted_secret).where(oauth_tokens.c.id > id)
    rows: list[Any] = tx.all(query.order_by(oauth_tokens.c.id).limit(limit))
    return [(row.id, row.encrypted_secret) for row in rows]
