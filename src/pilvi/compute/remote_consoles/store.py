"""The only SQL for console tokens."""

import sqlalchemy as sa

from pilvi.compute.remote_consoles.model import ConsoleToken
from pilvi.kernel.db import Tx, metadata

tokens = sa.Table(
    "compute_console_tokens",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("server_id", sa.String(36), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False),
    sa.Index("compute_console_tokens_by_end", "expires_at"),
)


def add(tx: Tx, token: ConsoleToken) -> None:
    tx.insert(tokens, token)


def find(tx: Tx, token_hash: str) -> ConsoleToken | None:
    return tx.first(sa.select(tokens).where(tokens.c.token_hash == token_hash), ConsoleToken)


def use(tx: Tx, token_hash: str, now: float) -> int:
    """1 for the one who was first, 0 for everybody else."""
    fresh = (tokens.c.token_hash == token_hash, tokens.c.used.is_(False), tokens.c.expires_at > now)
    return tx.execute(tokens.update().where(*fresh).values(used=True))


def drop_expired(tx: Tx, now: float) -> int:
    return tx.execute(tokens.delete().where(tokens.c.expires_at <= now))


def drop_of_server(tx: Tx, server_id: str) -> int:
    return tx.execute(tokens.delete().where(tokens.c.server_id == server_id))
