"""Stories as text, as a tree of spans, and as data. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pilvi.kernel import clock
from pilvi.kernel.facts import BAD_OUTCOMES, Event, Place
from pilvi.ops.explain.story import Cause, Changes, Past, Story

EVENTS_SHOWN: Final = 40
VALUE_MOST: Final = 160


def lines(story: Story, *, tree: bool = False) -> list[str]:
    """First what is wrong, then what happened, then what to do."""
    result = [story.headline]
    result += [f"  also: {each.text}" for each in story.causes[1:]]
    if story.events:
        result += ["", *(spans(story.events) if tree else _events(story.events))]
    return [*result, "", *_ending(story)]


def _ending(story: Story) -> list[str]:
    if not story.causes:
        return ["Nothing needs to be done."]
    first = story.causes[0]
    named = {"Cause": first.text, "Consequence": first.consequence, "Remedy": first.remedy, "Who can do it": first.who}
    return [f"{name}: {text}" for name, text in named.items() if text]


def _events(events: Sequence[Event]) -> list[str]:
    result = [] if len(events) <= EVENTS_SHOWN else [f"  … {len(events) - EVENTS_SHOWN} earlier events"]
    request = None
    for event in events[-EVENTS_SHOWN:]:
        if event.request_id != request:
            request = event.request_id
            result.append(f"{request or 'by itself'}:")
        result.append("  " + _line(event))
        result += [f"      {text}" for text in details(event)]
    return result


def _line(event: Event) -> str:
    mark = "!" if event.outcome in BAD_OUTCOMES else " "
    took = "" if event.duration_ms is None else f"  {_duration(event.duration_ms)}"
    about = f"{event.resource_type} {event.resource_name or event.resource_id}".strip()
    return f"{mark} {event.at[:23]}  {_what(event)}  {event.outcome}{took}  {about}".rstrip()


def _duration(ms: float) -> str:
    return f"{ms:.1f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def details(event: Event) -> list[str]:
    """What changed, and what else was noted."""
    found = []
    for name, value in (event.detail or {}).items():
        if name == "changes":
            created = (event.detail or {}).get("what") == "created"
            pairs = [f"{field} = {_short(b)}" if created else f"{field}: {_short(a)} → {_short(b)}"
                     for field, (a, b) in value.items()]  # fmt: skip
            found += pairs if not created else [", ".join(pairs)[: 4 * VALUE_MOST]]
        elif value not in (None, "", [], {}) and name not in ("what", "path", "state"):
            found.append(f"{name}: {_short(value)}")
    return found


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= VALUE_MOST else text[:VALUE_MOST] + "…"


def spans(events: Sequence[Event]) -> list[str]:
    """One tree for each operation: the request first, below it what it led to, with the time since its beginning."""
    by_request: dict[str, list[Event]] = {}
    for event in events:
        by_request.setdefault(event.request_id, []).append(event)
    result: list[str] = []
    for request, own in by_request.items():
        begun = min(_start(event) for event in own)
        asked = [e for e in own if e.step.startswith("api ")]
        root = next((e for e in asked if e.duration_ms is not None), asked[0] if asked else None)
        about = f"  {root.step}  {_took(root)}" if root is not None else ""
        theirs = next((event.trace_id for event in own if event.trace_id), None)
        about += f"  in the caller's trace {theirs}" if theirs else ""
        result.append(f"{request or 'by itself'}  {clock.timestamp(begun)[:23]}{about}".rstrip())
        rest = sorted((event for event in own if event is not root), key=_start)
        for index, event in enumerate(rest):
            branch = "└─" if index == len(rest) - 1 else "├─"
            mark = "!" if event.outcome in BAD_OUTCOMES else " "
            offset = f"+{_duration((_start(event) - begun) * 1000)}"
            named = f"{event.resource_type} {event.resource_name or event.resource_id}".strip()
            times = f"{offset:>10}  {_took(event):>9}"
            result.append(f"{branch}{mark}{times}  {_what(event)}  {event.outcome}  {named}".rstrip())
    return result


def _what(event: Event) -> str:
    """The step; of what a request changed beside its own subject, only how."""
    what = (event.detail or {}).get("what")
    return str(what) if what and event.step.startswith("api ") and event.duration_ms is None else event.step


def _start(event: Event) -> float:
    """Requests are written down when they end, steps of hosts with their beginning."""
    at = clock.parse(event.at)
    return at - (event.duration_ms or 0.0) / 1000 if event.step.startswith(("api ", "loop ")) else at


def _took(event: Event) -> str:
    return "" if event.duration_ms is None else _duration(event.duration_ms)


def document(story: Story) -> dict[str, Any]:
    """The same as data."""
    return {
        "headline": story.headline, "kind": story.kind, "id": story.id, "name": story.name, "state": story.state,
        "causes": [_cause(each) for each in story.causes], "fields": story.fields,
        "events": [event_document(event) for event in story.events],
    }  # fmt: skip


def _cause(each: Cause) -> dict[str, str]:
    return {name: getattr(each, name) for name in Cause.__dataclass_fields__}


def event_document(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Event.__dataclass_fields__}


def place(text: str) -> Place:
    """Where a page of history ends: a time, or what `older` printed. Raises ValueError."""
    time, _, number = text.partition("/")
    return clock.timestamp(clock.parse(time)), int(number or 0)


def older(place: Place) -> str:
    return f"{place[0]}/{place[1]}"


def changes_document(page: Changes) -> dict[str, Any]:
    return {"kind": page.kind, "id": page.id, "events": [event_document(event) for event in page.events],
            "older": older(page.older) if page.older is not None else None}  # fmt: skip


def change(event: Event) -> list[str]:
    """One change for `history`: when, who, in which step, and what."""
    detail = event.detail or {}
    who = detail.get("by") or event.user_id or "the cloud itself"
    through = ", ".join(filter(None, (event.step, event.request_id)))
    head = f"{event.at[:23]}  {detail.get('what', '')} by {who}  ({through})"
    pairs = detail.get("changes", {}).items()
    return [head, *(f"    {field}: {_short(before)} → {_short(after)}" for field, (before, after) in pairs)]


def past_lines(past: Past, moment: str) -> list[str]:
    if not past.state.exists:
        return [f"{past.kind} {past.id} was not there at {moment[:19]}Z."]
    result = [f"{past.kind} {past.id} at {moment[:19]}Z"]
    result += [f"  {name:24} {_short(value)}" for name, value in sorted(past.state.fields.items())]
    return [*result, f"  ({past.state.note})"] if past.state.note else result


def past_document(past: Past) -> dict[str, Any]:
    return {"kind": past.kind, "id": past.id, "exists": past.state.exists, "fields": past.state.fields,
            "note": past.state.note}  # fmt: skip
