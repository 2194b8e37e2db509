"""`why`: the events of a resource, a name or a request in time order, ending with the cause and what to do."""

from collections.abc import Sequence
from typing import Any, Final

from pilvi.kernel import facts
from pilvi.kernel.config import Config
from pilvi.kernel.db import Tx, connect
from pilvi.kernel.facts import Event

BAD_OUTCOMES: Final = ("failed", "error", "refused", "denied", "crashed", "timeout")
CAUSE_FIELDS: Final = ("message", "error", "reason", "cause")
MOST_REQUESTS: Final = 200


def find(config: Config, what: str) -> list[Event]:
    """The thing's own events and what else the same operations did."""
    database = connect(config.database_url)
    try:
        return database.read(lambda tx: _related(tx, what))
    finally:
        database.close()


def _related(tx: Tx, what: str) -> list[Event]:
    own = facts.of(tx, what)
    requests = list(dict.fromkeys(event.request_id for event in own if event.request_id))[-MOST_REQUESTS:]
    related = [event for event in facts.of_requests(tx, requests) if event not in own] if requests else []
    return sorted(own + related, key=lambda event: event.at)


def lines(what: str, events: Sequence[Event]) -> list[str]:
    """The story for people."""
    if not events:
        return [
            f"Nothing is known of {what}. Give an id, a name, or a request id such as req-…; events are kept 30 days."
        ]
    result, request_id = [], None
    for event in events:
        if event.request_id != request_id:
            request_id = event.request_id
            result.append(f"{request_id or 'without a request'}:")
        result.append(_line(event))
        result += [f"      {key}: {_short(value)}" for key, value in (event.detail or {}).items()]
    return [*result, "", *_ending(events)]


def _line(event: Event) -> str:
    name = event.resource_name or event.resource_id
    took = f"  {event.duration_ms:.0f} ms" if event.duration_ms is not None else ""
    mark = "!" if event.outcome in BAD_OUTCOMES else " "
    return f"  {mark} {event.at[:23]}  {event.step}  {event.outcome}{took}  {event.resource_type} {name}".rstrip()


def _ending(events: Sequence[Event]) -> list[str]:
    bad = [event for event in events if event.outcome in BAD_OUTCOMES]
    if not bad:
        return ["No step failed."]
    last = bad[-1]
    detail = last.detail or {}
    cause = next((_short(detail[name]) for name in CAUSE_FIELDS if detail.get(name)), "no message was recorded")
    ending = [f"Cause: {last.step} of {last.resource_type} {last.resource_name or last.resource_id}: {cause}"]
    if detail.get("remedy"):
        ending.append(f"What to do: {detail['remedy']}")
    recovered = events[-1].outcome not in BAD_OUTCOMES and events[-1].step == last.step
    return [*ending, "A later try of the same step succeeded."] if recovered else ending


def _short(value: Any) -> str:
    return " ".join(str(value).split())[:600]
