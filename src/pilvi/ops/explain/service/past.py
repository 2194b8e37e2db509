"""How something was at a time, and who changed what."""

from pilvi.kernel import facts, history
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Event
from pilvi.ops.explain.story import Past


def state_at(tx: Tx, what: str, moment: str) -> list[Past]:
    """Every resource of this id or name, as it was then."""
    return [Past(kind, id, history.at(tx, kind, id, moment)) for kind, id in _meant(tx, what)]


def history_of(tx: Tx, what: str, limit: int) -> list[tuple[str, str, list[Event]]]:
    """Kind, id and the newest changes of every resource of this id or name, oldest first."""
    return [
        (kind, id, history.changes_of(facts.of(tx, id, limit=limit), kind, id)) for kind, id in _meant(tx, what)
    ]  # fmt: skip


def _meant(tx: Tx, what: str) -> list[tuple[str, str]]:
    """What is there now under this id or name, and what was."""
    found = dict.fromkeys(history.named(tx, what))
    for event in facts.of(tx, what, limit=200):
        if event.resource_type in history.TRACKED and "changes" in (event.detail or {}):
            found[event.resource_type, event.resource_id] = None
    return list(found)
