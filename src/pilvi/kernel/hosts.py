"""Hosts and the revision of what each of them should do. Agents ask with the revision they know."""

from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Json, Tx, metadata

hosts = sa.Table(
    "kernel_hosts",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("applied_revision", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.String(27), nullable=False),
    sa.Column("facts", Json, nullable=False),
    sa.Column("troubles", Json, nullable=False, server_default="{}"),
)

DEAD_AFTER_S = 45.0
"""An agent that was silent for so long counts as down; nothing is scheduled to its host."""

wake: list[Callable[[str], None]] = []
"""Called with a host's name after the commit that changed what it should do."""


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    id: str
    revision: int
    applied_revision: int
    seen_at: float
    started_at: str
    facts: dict[str, object]
    troubles: dict[str, str] = field(default_factory=dict)
    """What the host cannot do now: `network` for all of it, or the id of a network that is not served → why."""

    def is_up(self) -> bool:
        return clock.now() - self.seen_at < DEAD_AFTER_S


def changed(tx: Tx, host: str) -> None:
    """What this host should do has changed, by this transaction. Counted once per transaction and host."""
    key = f"host changed {host}"
    if key in tx.facts:
        return
    tx.facts[key] = True
    tx.execute(hosts.update().where(hosts.c.name == host).values(revision=hosts.c.revision + 1))
    tx.after_commit(lambda: _wake(host))


def changed_everywhere(tx: Tx) -> None:
    for name in tx.scalars(sa.select(hosts.c.name)):
        changed(tx, name)


def _wake(host: str) -> None:
    for listener in wake:
        listener(host)


def find(tx: Tx, name: str) -> Host | None:
    return tx.first(sa.select(hosts).where(hosts.c.name == name), Host)


def all_hosts(tx: Tx) -> list[Host]:
    return tx.all(sa.select(hosts).order_by(hosts.c.name), Host)


def add(tx: Tx, host: Host) -> None:
    tx.insert(hosts, host)


def seen(tx: Tx, name: str, **values: object) -> None:
    tx.execute(hosts.update().where(hosts.c.name == name).values(seen_at=clock.now(), **values))
