"""How something was at a time, and who changed what."""

from typing import Final

from pilvi.kernel import facts, history, past
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Place
from pilvi.ops.explain.story import Changes, Past

LOOKED_AT: Final = 200
"""Events of a name that are looked at for resources that had it."""


def state_at(tx: Tx, what: str, moment: str) -> list[Past]:
    """Every resource of this id or name, as it was then."""
    return [Past(kind, id, past.at(tx, kind, id, moment)) for kind, id in _meant(tx, what)]


def history_of(tx: Tx, what: str, limit: int, before: Place | None = None) -> list[Changes]:
    """The newest changes of every resource of this id or name, before a place among its events if one is given."""
    return [
        Changes(kind, id, *past.changes(tx, kind, id, before=before, limit=limit)) for kind, id in _meant(tx, what)
    ]  # fmt: skip


def _meant(tx: Tx, what: str) -> list[tuple[str, str]]:
    """What is there now under this id or name; and what was, unless it is an id that is there."""
    found = dict.fromkeys(past.named(tx, what))
    if any(id == what for _, id in found):
        return list(found)
    for event in facts.of(tx, what, limit=LOOKED_AT):
        if event.resource_type in history.TRACKED and "changes" in (event.detail or {}):
            found[event.resource_type, event.resource_id] = None
    return list(found)
