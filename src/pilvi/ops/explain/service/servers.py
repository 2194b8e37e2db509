"""Why a server is as it is."""

from collections.abc import Sequence
from typing import Any

from pilvi.kernel import clock, hosts
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Event
from pilvi.ops.explain import store
from pilvi.ops.explain.service import evidence, networks
from pilvi.ops.explain.story import Cause, Story, cause

CRASHED = 6
"""power_state of a guest whose process is gone."""


def tell(tx: Tx, id: str, server: dict[str, Any], events: Sequence[Event]) -> Story:
    story = Story("server", id, evidence.name_of(server, events), _state(server), fields=server)
    if server["vm_state"] == "error":
        story.causes = _of_error(tx, server, events)
    elif server["task_state"] is not None:
        story.causes = _of_transition(tx, id, server, events)
    elif server["power_state"] == CRASHED or (server["vm_state"] == "stopped" and _fell(events) is not None):
        story.causes = _of_fall(events)
    story.causes += _around(tx, id, server)
    if not story.causes:
        story.causes = _of_last_refusal(events)
    return story


def _state(server: dict[str, Any]) -> str:
    state = "in ERROR" if server["vm_state"] == "error" else str(server["vm_state"])
    task = f", {server['task_state']}," if server["task_state"] else ""
    return f"{state}{task} on {server['host']}" if server["host"] else f"{state}{task} on no host"


def _of_error(tx: Tx, server: dict[str, Any], events: Sequence[Event]) -> list[Cause]:
    bad = evidence.last_bad(events, steps=("schedule", "host ", "server expired"))
    fault = server["fault"] or {}
    if bad is None:
        said = str(fault.get("details") or "").partition("\n")[0] or str(fault.get("message") or "")
        return [cause(said or "Its state was set to error by an administrator.")]
    if bad.step == "schedule":
        return [_unplaced(bad)]
    found = [cause(evidence.message_of(bad))]
    if bad.step == "server expired":
        found = evidence.of_host(tx, str(server["host"])) + found
    return found


def _unplaced(event: Event) -> Cause:
    """No host took it: the operators' reasons, the most frequent first."""
    detail = event.detail or {}
    refused: dict[str, str] = detail.get("refused") or {}
    if not refused:
        return cause(evidence.message_of(event))
    by_reason: dict[str, list[str]] = {}
    for host, reason in refused.items():
        by_reason.setdefault(reason, []).append(host)
    ranked = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    told = "; ".join(f"{_some(names)}: {reason}" for reason, names in ranked[:4])
    return cause(f"No valid host was found. {told}.")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _of_transition(tx: Tx, id: str, server: dict[str, Any], events: Sequence[Event]) -> list[Cause]:
    """What it waits for."""
    found = evidence.of_host(tx, str(server["host"])) if server["host"] else []
    begun = next((e.at for e in reversed(events) if e.step.startswith("api ")), "")
    bad = evidence.last_bad(events, steps=("host ",), after=begun)
    if bad is not None:
        found.append(cause(evidence.message_of(bad)))
    found += evidence.of_work(tx, id, "server")
    host = hosts.find(tx, str(server["host"])) if server["host"] else None
    if not found and host is not None:
        since_s = clock.now() - (clock.parse(begun) if begun else clock.now())
        text = f"Host {host.name} is at work on it ({server['task_state']}) for {since_s:.0f} s."
        found.append(Cause(text, "at-work", "", "Wait.", "nobody needs to"))
    return found


def _fell(events: Sequence[Event]) -> Event | None:
    """The event of a guest that went down by itself, unless it was started or stopped since."""
    for event in reversed(events):
        if event.step == "guest stopped":
            return event
        if event.step.startswith("api ") and event.outcome == "done":
            return None
    return None


def _of_fall(events: Sequence[Event]) -> list[Cause]:
    event = _fell(events)
    return [cause(evidence.message_of(event) if event is not None else "The guest's process died.")]


def _around(tx: Tx, id: str, server: dict[str, Any]) -> list[Cause]:
    """The host and the ports of a server that is itself well."""
    found: list[Cause] = []
    if server["task_state"] is None and server["host"]:
        found += evidence.of_host(tx, str(server["host"]))
    if server["task_state"] is not None or server["vm_state"] != "active":
        return found
    for port in store.ports_of_device(tx, id):
        found += [one for one in networks.of_port(tx, port._asdict()) if one not in found]
    return found


def _of_last_refusal(events: Sequence[Event]) -> list[Cause]:
    """A server that is well, and yet somebody asks: their last request may have been turned down."""
    last = next((e for e in reversed(events) if e.step.startswith("api ")), None)
    if last is None or not evidence.is_bad(last):
        return []
    return [cause(f"The last request was {last.outcome}: {evidence.message_of(last)}")]
