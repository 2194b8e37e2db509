"""The loop that mirrors a whole directory: complete answers only, written in pieces, so that others may write, too."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pilvi.identity import settings
from pilvi.identity.directories import service
from pilvi.identity.domain_configs.service import DIRECTORY_LOOP
from pilvi.identity.drivers import ldap
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.loop import Loop

AT_ONCE = 200
"""Entries in one transaction."""


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def reconcile(database: Database, domain_id: str) -> None:
    plan = database.read(lambda tx: service.plan_of(tx, domain_id) if service.has_domain(tx, domain_id) else None)
    if plan is None:
        database.write(lambda tx: service.stop(tx, domain_id))
        return
    directory = ldap.directory_of(plan)
    people, teams = directory.people(), directory.teams()
    for piece in _pieces(people):
        database.write(partial(service.take_people, domain_id=domain_id, people=piece))
    ids = database.read(lambda tx: service.names_of_people(tx, plan))
    for piece in _pieces(teams):
        database.write(partial(service.take_teams, domain_id=domain_id, teams=piece, ids=ids))
    _let_go(database, domain_id, service.USER, [one.local_id for one in people], service.let_go_people)
    _let_go(database, domain_id, service.GROUP, [one.local_id for one in teams], service.let_go_teams)


def _let_go(database: Database, domain_id: str, kind: str, present: list[str], let_go: Any) -> None:
    gone = database.read(lambda tx: service.vanished(tx, domain_id, kind, present))
    for piece in _pieces(gone):
        database.write(partial(let_go, gone=piece))


def _sweep(tx: Tx) -> list[str]:
    return [*service.domains(tx), *service.leftovers(tx)]


def loop() -> Loop:
    return Loop(DIRECTORY_LOOP, reconcile, sweep=_sweep, sweep_s=settings.current.directory_s)
