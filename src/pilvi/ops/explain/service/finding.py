"""From what somebody typed to what they mean."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pilvi.kernel import facts, history, hosts, past, tracing
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Event
from pilvi.ops.explain.service import evidence, networks, others, servers
from pilvi.ops.explain.story import Story

Tell = Callable[[Tx, str, dict[str, Any], Sequence[Event]], Story]

TELLERS: Final[dict[str, Tell]] = {
    "server": servers.tell,
    "port": networks.tell_port,
    "network": networks.tell_network,
    "router": networks.tell_router,
    "floatingip": networks.tell_floating_ip,
    "image": others.tell_image,
}
INNER: Final = ("consumer", "resource_provider")
"""What the claims of a server and of a host are kept under; who asks means the server and the host."""
REQUESTS_MOST: Final = 100
STORIES_MOST: Final = 5


def explain(tx: Tx, what: str) -> list[Story]:
    """The stories of everything of this id, name, request, host or work key. Empty when nothing is known."""
    if what.startswith("req-"):
        events = facts.of_requests(tx, [what])
        return [_with_events(others.tell_request(what, events), events)] if events else []
    kind, _, key = what.partition(" ")
    if key:
        return others.tell_work(tx, kind, key)
    told = [_tell(tx, kind, id) for kind, id in past.named(tx, what)[:STORIES_MOST] if kind not in INNER]
    if hosts.find(tx, what) is not None:
        events = facts.of(tx, what)
        told.append(_with_events(others.tell_host(tx, what, events), events))
    return told or _gone(tx, what) or others.tell_work(tx, None, what) or _of_trace(tx, what)


def _of_trace(tx: Tx, what: str) -> list[Story]:
    """The operations of a trace: ours, which is the request id in other words, or a caller's."""
    request = tracing.request_of(what)
    if request is None:
        return []
    trace_id = request.removeprefix("req-").replace("-", "")
    found = [request, *facts.requests_of_trace(tx, trace_id)]
    return [story for each in found[-STORIES_MOST:] for story in explain(tx, each)]


def _tell(tx: Tx, kind: str, id: str) -> Story:
    events = evidence.events_of(tx, id)
    fields = history.current(tx, kind, id) or {}
    teller = TELLERS.get(kind)
    if teller is not None:
        story = teller(tx, id, fields, events)
    else:
        story = Story(kind, id, evidence.name_of(fields, events), str(fields.get("status") or "there"), fields=fields)
        bad = next((e for e in reversed(events) if evidence.is_bad(e)), None)
        if bad is not None and bad is events[-1]:
            story.causes = others.tell_gone(kind, id, events).causes
    return _with_events(story, _operations(tx, events))


def _operations(tx: Tx, events: list[Event]) -> list[Event]:
    """A resource's own events, and what else the same requests did."""
    requests = list(dict.fromkeys(event.request_id for event in events if event.request_id))[-REQUESTS_MOST:]
    more = facts.of_requests(tx, requests) if requests else []
    own = {(e.at, e.step, e.resource_id) for e in events}
    return sorted([*events, *(e for e in more if (e.at, e.step, e.resource_id) not in own)], key=lambda e: e.at)


def _gone(tx: Tx, what: str) -> list[Story]:
    events = facts.of(tx, what)
    if not events:
        return []
    last = events[-1]
    return [_with_events(others.tell_gone(last.resource_type or "thing", last.resource_id or what, events), events)]


def _with_events(story: Story, events: list[Event]) -> Story:
    story.events = events
    return story
