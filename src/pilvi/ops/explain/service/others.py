"""Why images, hosts, work keys and requests are as they are, and what is gone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pilvi.compute import facade as compute
from pilvi.kernel import clock, facts, hosts, work
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Event
from pilvi.ops.audit import service as audit
from pilvi.ops.explain import store
from pilvi.ops.explain.service import evidence
from pilvi.ops.explain.story import Cause, Story, cause


def tell_image(tx: Tx, id: str, image: dict[str, Any], events: Sequence[Event]) -> Story:
    story = Story("image", id, evidence.name_of(image, events), str(image["status"]), fields=image)
    if image["status"] == "deactivated":
        by = next((e for e in reversed(events) if "deactivate" in e.step), None)
        who = f" by {(by.detail or {}).get('by') or by.user_id} at {by.at[:19]}Z" if by is not None else ""
        text = f"It was deactivated{who}: nobody but administrators gets its data."
        story.causes = [cause(text, remedy="openstack image set --activate.", who="an administrator of the cloud")]
    elif image["status"] != "active":
        bad = next((e for e in reversed(events) if evidence.is_bad(e)), None)
        if bad is not None:
            story.causes = [cause(evidence.message_of(bad))]
        elif image["status"] == "queued":
            text = "No data was uploaded or imported yet."
            story.causes = [cause(text, remedy="openstack image save is for reading; upload with image create --file "
                                  "or import.", who="whoever made the image")]  # fmt: skip
        story.causes += evidence.of_work(tx, id)
    else:
        broken = [e for e in facts.newest(tx, outcomes=("failed",), limit=200) if id in evidence.message_of(e)]
        story.causes = [cause(evidence.message_of(broken[0]))] if broken else []
    return story


def tell_host(tx: Tx, name: str, events: Sequence[Event]) -> Story:
    host = hosts.find(tx, name)
    if host is None:
        return Story("host", name, name, "unknown", evidence.of_host(tx, name))
    state = "up" if host.is_up() else "down"
    number = store.servers_of_host(tx, name)
    story = Story("host", name, name, f"{state} with {number} server{'s' * (number != 1)}", evidence.of_host(tx, name))
    disabled = compute.disabled_reason(tx, name)
    if disabled is not None:
        story.causes.append(cause(f"It is closed for new servers: {disabled or 'no reason was given'}."))
    for where, text in host.troubles.items():
        if where != "network":
            story.causes.append(cause(f"Network {where}: {text}"))
    for verdict in audit.verdicts(tx):
        story.causes += [cause(f"The auditor says: {e['text']}.") for e in verdict.examples if e["id"] == name]
    story.fields = {"revision": host.revision, "applied_revision": host.applied_revision, "facts": host.facts}
    return story


def tell_work(tx: Tx, kind: str | None, key: str) -> list[Story]:
    told = []
    now = clock.now()
    for row in work.find(tx, key, kind):
        leased = f"leased for {row.lease_until - now:.0f} s more" if row.lease_until > now else "leased by nobody"
        due = f"due in {row.due_at - now:.0f} s" if row.due_at > now else f"due for {now - row.due_at:.0f} s"
        story = Story("work", f"{row.kind} {row.key}", "", f"{due}, {leased}, since {now - row.since:.0f} s")
        story.causes = evidence.of_work(tx, key, row.kind)
        if not story.causes and row.last_error:
            story.causes = [cause(f"It waits: {row.last_error}")]
        told.append(story)
    return told


def tell_request(request_id: str, events: list[Event]) -> Story:
    """A request: turned down, done, or done in part."""
    first = events[0]
    bad = [event for event in events if evidence.is_bad(event)]
    by = (first.detail or {}).get("by") or first.user_id
    ended = "done" if not bad else "turned down" if bad[-1].outcome == "refused" else "failed"
    story = Story("request", request_id, "", f"{ended} ({first.step} by {by})")
    for event in bad[::-1]:
        one = _refusal(event)
        if one not in story.causes:
            story.causes.append(one)
    return story


def _refusal(event: Event) -> Cause:
    one = cause(evidence.message_of(event))
    if one.remedy or event.outcome != "refused":
        return one
    return replace(one, remedy="Change the request as the message says.", who="whoever asked")


def tell_gone(kind: str, id: str, events: list[Event]) -> Story:
    """Something that is not there any more, or never was."""
    deleted = next((e for e in reversed(events) if (e.detail or {}).get("what") == "deleted"), None)
    bad = next((e for e in reversed(events) if evidence.is_bad(e)), None)
    name = evidence.name_of({}, events)
    if deleted is not None:
        by = _who_deleted(events, deleted)
        return Story(kind, id, name, "gone", [Cause(f"It was deleted at {deleted.at[:19]}Z by {by} "
                                                    f"({deleted.request_id or deleted.step}).")])  # fmt: skip
    if bad is not None:
        return Story(kind, id, name, "unknown", [_refusal(bad)])
    return Story(kind, id, name, "known from events only")


def _who_deleted(events: list[Event], deleted: Event) -> str:
    asked = next((e for e in events if e.request_id == deleted.request_id and (e.detail or {}).get("by")), None)
    return str((asked.detail or {})["by"]) if asked is not None else deleted.user_id or "the cloud itself"
