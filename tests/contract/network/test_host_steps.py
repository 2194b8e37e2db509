"""Turns of a host's network driver are events of the operation that wanted them."""

from typing import Any

import pytest

from pilvi.kernel import facts
from pilvi.kernel.facts import Event
from tests.contract.compute.conftest import Boot, boot, flavor_id, image_id, network_id, node

__all__ = ["boot", "flavor_id", "image_id", "network_id", "node"]

AT = "2026-11-22T16:00:00.000000Z"


def step(*objects: tuple[str, str], message: str = "", more: int = 0) -> dict[str, Any]:
    told = [{"kind": kind, "id": id, "does": "made"} for kind, id in objects]
    outcome = "failed" if message else "done"
    return {"at": AT, "duration_ms": 41.5, "outcome": outcome, "message": message, "objects": told, "more": more}


def applied(boot: Boot, what: str) -> list[Event]:
    events = boot.cloud.database.read(lambda tx: facts.of(tx, what))
    return [event for event in events if event.step == "host network applied"]


def test_a_turn_is_an_event_of_each_object_in_the_request_that_made_it(boot: Boot) -> None:
    server = boot("one")
    [port] = boot.cloud.at("/network/v2.0").get(f"/ports?device_id={server}").body["ports"]
    boot.node.report(network={"steps": [step(("port", port["id"]), ("network", boot.network_id))]})
    [event] = applied(boot, port["id"])
    assert (event.outcome, event.duration_ms, event.user_id, event.at) == ("done", 41.5, "host node", AT)
    events = boot.cloud.database.read(lambda tx: facts.of(tx, server))
    asked = next(e for e in events if e.step == "api compute POST /servers")
    assert event.request_id == asked.request_id
    whole = boot.cloud.database.read(lambda tx: facts.of_requests(tx, [asked.request_id]))
    assert {"host network applied", "host port ACTIVE", "host report", "schedule"} <= {e.step for e in whole}
    assert len(applied(boot, boot.network_id)) == 1


def test_a_turn_that_failed_says_why(boot: Boot) -> None:
    boot.node.report(network={"error": "no", "steps": [step(("network", boot.network_id), message="no module vxlan")]})
    [event] = applied(boot, boot.network_id)
    assert (event.outcome, event.detail) == ("failed", {"host": "node", "message": "no module vxlan"})


def test_what_is_not_told_one_by_one_is_an_event_of_the_host(boot: Boot) -> None:
    boot.node.report(network={"steps": [step(more=812), step(("port", "nobody-knows-it"))]})
    [event] = applied(boot, "node")
    assert (event.detail or {})["text"] == "812 objects looked at or changed"
    assert applied(boot, "nobody-knows-it") == []


@pytest.mark.parametrize("bad", [{"at": "yesterday"}, {"objects": 7}, {"duration_ms": "long"}, "text"])
def test_a_malformed_step_is_refused(boot: Boot, bad: Any) -> None:
    one = step() | bad if isinstance(bad, dict) else bad
    reply = boot.cloud.as_host().post("/report", {"revision": 1, "servers": [], "network": {"steps": [one]}})
    assert (reply.status, b"malformed" in reply.content) == (400, True)
