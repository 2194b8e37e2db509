"""What every diagnosis looks at: hosts, work rows, the last events that say something is wrong."""

from collections.abc import Sequence
from typing import Any

from pilvi.kernel import clock, facts, history, hosts, work
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import BAD_OUTCOMES, Event
from pilvi.ops.explain.story import Cause, cause

MESSAGE_FIELDS = ("message", "error", "reason", "cause", "text")
EVENTS_MOST = 500
PATIENCE_S = 10.0
"""A host that answers and is behind for less is simply at work."""


def message_of(event: Event) -> str:
    detail = event.detail or {}
    found = next((str(detail[name]) for name in MESSAGE_FIELDS if detail.get(name)), "")
    return found or f"{event.step} ended as {event.outcome} without a message."


def is_bad(event: Event) -> bool:
    return event.outcome in BAD_OUTCOMES


def last_bad(events: Sequence[Event], *, steps: tuple[str, ...] = ("",), after: str = "") -> Event | None:
    """The newest event that went wrong, of steps that begin so, unless the same step went well later."""
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if event.at < after or not event.step.startswith(steps) or not is_bad(event):
            continue
        healed = any(e.step == event.step and e.resource_id == event.resource_id and not is_bad(e)
                     for e in events[index + 1 :])  # fmt: skip
        return None if healed else event
    return None


def of_host(tx: Tx, name: str) -> list[Cause]:
    """What is wrong with a host, the worst first. Empty for one that is well."""
    host = hosts.find(tx, name)
    if host is None:
        return [cause(f"Host {name} is not known to this cloud: no agent has ever reported under that name.")]
    found = []
    if not host.is_up():
        found.append(
            cause(f"The agent of host {name} has not been heard of for {clock.now() - host.seen_at:.0f} s.")
        )  # fmt: skip
    if host.troubles.get("network"):
        found.append(cause(f"Host {name} cannot set up its network: {host.troubles['network']}"))
    if host.is_up() and not found and host.applied_revision < host.revision:
        found += _behind(host)
    return found


def _behind(host: hosts.Host) -> list[Cause]:
    waited_s = clock.now() - host.seen_at
    if waited_s < PATIENCE_S:
        return []
    text = f"Host {host.name} has applied {host.applied_revision} of {host.revision} changes."
    return [cause(text, remedy="Wait, or look at its agent's log.", who="the operator of the host")]


def of_network_services(tx: Tx, network_id: str) -> list[Cause]:
    """DHCP and metadata of a network that a host cannot serve."""
    return [
        cause(f"On host {host.name}, {host.troubles[network_id]}")
        for host in hosts.all_hosts(tx)
        if network_id in host.troubles
    ]


def of_work(tx: Tx, key: str, kind: str | None = None) -> list[Cause]:
    """What the loops say of a key."""
    found = []
    now = clock.now()
    for row in work.find(tx, key, kind):
        if row.attempts:
            found.append(cause(f"The loop {row.kind} has failed {row.attempts} times: {row.last_error}"))
        elif row.due_at < now - 60 and row.lease_until < now:
            text = f"The loop {row.kind} is due for {now - row.due_at:.0f} s and nobody takes it."
            found.append(cause(text, remedy="Look at the process api: `pilvi status`.", who="the operator of the host"))
    return found


def events_of(tx: Tx, id: str) -> list[Event]:
    """The newest events of a resource, oldest first."""
    return facts.of(tx, id, limit=EVENTS_MOST)


def name_of(fields: dict[str, Any], events: Sequence[Event]) -> str:
    named = next((e.resource_name for e in reversed(events) if e.resource_name), "")
    return str(fields.get("name") or fields.get("floating_ip_address") or named)


def row(tx: Tx, kind: str, id: str) -> dict[str, Any] | None:
    return history.current(tx, kind, id)
