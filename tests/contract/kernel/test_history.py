"""What changed, who changed it, and how it was at any time: events of the transaction of the change."""

from collections.abc import Iterator
from typing import Any

import pytest

from pilvi.kernel import clock, facts, history, past
from pilvi.kernel.clock import Clock
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.facts import Event
from pilvi.kernel.loop import Loop, Runner
from pilvi.ops.explain import service as explain
from pilvi.ops.explain import text
from tests.contract.client import Client

REQUEST_ID = "x-openstack-request-id"


class Ticking:
    """Every look at the clock is a millisecond later."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        self.time += 0.001
        return self.time

    monotonic = now


@pytest.fixture
def net(cloud: Client) -> Client:
    return cloud.at("/network/v2.0")


@pytest.fixture
def ticking(cloud: Client) -> Iterator[Clock]:
    """Time that passes visibly; tokens were issued in the true one, so the way back comes before other fixtures end."""
    made = Ticking()
    made.time = clock.now() // 60 * 60 + 1.0  # Within one minute.
    former = clock.use(made)
    yield made
    clock.use(former)


def made(net: Client, name: str = "first") -> str:
    id: str = net.post("/networks", {"network": {"name": name}}).body["network"]["id"]
    return id


def changes(database: Database, id: str) -> list[dict[str, Any]]:
    events = database.read(lambda tx: facts.of(tx, id))
    return [event.detail["changes"] for event in events if event.detail and "changes" in event.detail]


def test_a_request_is_one_event_with_what_it_changed(net: Client) -> None:
    id = made(net)
    reply = net.put(f"/networks/{id}", {"network": {"name": "second", "admin_state_up": True}})
    events: list[Event] = net.database.read(lambda tx: facts.of(tx, id))
    assert [(e.step, e.resource_type, e.outcome) for e in events] == [
        ("api network POST /v2.0/networks", "network", "done"),
        ("api network PUT /v2.0/networks/{id}", "network", "done"),
    ]
    changed = events[1]
    assert changed.request_id == reply.headers[REQUEST_ID]
    assert changed.user_id == net.facts["member"]
    assert changed.project_id == net.facts["demo"]
    assert changed.duration_ms is not None
    assert changed.duration_ms > 0
    assert changed.detail is not None
    assert changed.detail["changes"] == {"name": ["first", "second"]}
    assert changed.detail["by"] == "member"


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_callers_trace_is_kept_with_the_operation_and_finds_it(net: Client) -> None:
    reply = net.post("/networks", {"network": {"name": "first"}}, headers={"traceparent": PARENT})
    request, id = reply.headers[REQUEST_ID], reply.body["network"]["id"]
    ours = request.removeprefix("req-").replace("-", "")
    assert reply.headers["traceresponse"] == f"00-{ours}-{ours[16:]}-01"
    [event] = net.database.read(lambda tx: facts.of(tx, id))
    assert (event.request_id, event.trace_id) == (request, PARENT.split("-")[1])
    for what in (PARENT, PARENT.split("-")[1], ours, reply.headers["traceresponse"]):
        [story] = net.database.read(lambda tx, w=what: explain.explain(tx, w))  # type: ignore[misc]
        assert story.id == request
    assert f"in the caller's trace {PARENT.split('-')[1]}" in text.spans(story.events)[0]
    refused = net.post("/networks", {"network": {"mtu": -1}}, headers={"traceparent": "00-rubbish-01"})
    [event] = net.database.read(lambda tx: facts.of(tx, refused.headers[REQUEST_ID]))
    assert (event.outcome, event.trace_id) == ("refused", None)
    assert net.database.read(lambda tx: explain.explain(tx, "0" * 32)) == []


def test_accounts_are_remembered_without_their_passwords(cloud: Client) -> None:
    identity = cloud.as_admin().at("/identity/v3")
    body = {"user": {"name": "ann", "domain_id": "default", "password": "a-secret-of-ann"}}
    id = identity.post("/users", body).body["user"]["id"]
    again = {"user": {"enabled": False, "password": "another-secret"}}
    assert identity.patch(f"/users/{id}", again).status == 200
    created, changed = changes(cloud.database, id)
    assert created["name"] == [None, "ann"]
    assert created["password_hash"] == [None, "(hidden)"]
    assert changed == {"enabled": [True, False], "password_hash": ["(hidden)", "(another, hidden)"]}


def test_every_resource_that_a_request_changes_has_its_event(net: Client) -> None:
    network = made(net)
    reply = net.post("/ports", {"port": {"network_id": network}})
    request = reply.headers[REQUEST_ID]
    events = net.database.read(lambda tx: facts.of_requests(tx, [request]))
    assert {e.resource_type for e in events} >= {"port", "security_group"}
    assert len([e for e in events if e.resource_id == reply.body["port"]["id"]]) == 1


def test_what_is_undone_leaves_no_event(net: Client) -> None:
    database = net.database
    id = made(net)

    def fail(tx: Tx) -> None:
        tx.execute(history.TRACKED["network"].table.update().values(name="never"))
        raise KeyError

    with pytest.raises(KeyError):
        database.write(fail)
    assert len(changes(database, id)) == 1


def test_a_refused_request_says_why(net: Client) -> None:
    id = made(net)
    reply = net.as_stranger().put(f"/networks/{id}", {"network": {"name": "mine"}})
    assert reply.status == 404
    events = net.database.read(lambda tx: facts.of(tx, reply.headers[REQUEST_ID]))
    assert [(e.outcome, e.resource_type, e.resource_id) for e in events] == [("refused", "network", id)]
    assert "could not be found" in events[0].detail["message"]


def test_a_flood_of_refused_requests_is_bounded(net: Client, ticking: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilvi.kernel.refusals.MOST_PER_MINUTE", 3)
    for _ in range(6):
        assert net.put("/networks/11111111-1111-1111-1111-111111111111", {"network": {"name": "x"}}).status == 404
    found = net.database.read(lambda tx: facts.of(tx, "11111111-1111-1111-1111-111111111111"))
    assert len(found) == 3


def test_the_state_at_any_time(net: Client, ticking: Clock) -> None:
    database = net.database
    before = clock.timestamp()
    id = made(net)
    after_create = clock.timestamp()
    net.put(f"/networks/{id}", {"network": {"name": "second"}})
    after_rename = clock.timestamp()
    assert net.delete(f"/networks/{id}").status == 204
    after_delete = clock.timestamp()

    def state(moment: str) -> tuple[bool, Any]:
        found = database.read(lambda tx: past.at(tx, "network", id, moment))
        return found.exists, found.fields.get("name")

    assert state(before) == (False, None)
    assert state(after_create) == (True, "first")
    assert state(after_rename) == (True, "second")
    assert state(after_delete) == (False, None)


def test_the_state_amid_many_changes_is_read_from_a_few(net: Client, ticking: Clock, monkeypatch: Any) -> None:
    monkeypatch.setattr(history, "STATE_EVERY", 8)  # So that chance cannot leave all of them out.
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table
    moments = []
    for number in range(300):
        database.write(lambda tx, n=number: tx.execute(table.update().where(table.c.id == id).values(name=f"n{n}")))  # type: ignore[misc]
        moments.append(clock.timestamp())
    details = [e.detail or {} for e in database.read(lambda tx: facts.of(tx, id))]
    assert 10 <= sum("state" in detail for detail in details) <= 90
    read: list[int] = []
    taken = facts.details_after
    monkeypatch.setattr(facts, "details_after", lambda *asked: read.append(1) or taken(*asked))
    for number in (0, 1, 17, 64, 150, 298, 299):
        found = database.read(lambda tx, n=number: past.at(tx, "network", id, moments[n]))  # type: ignore[misc]
        assert (found.exists, found.fields["name"], found.fields["mtu"]) == (True, f"n{number}", 1450)
    first = next(
        n for n, detail in enumerate(details[2:], 1) if "state" in detail
    )  # After creation and the first name.
    read.clear()
    assert database.read(lambda tx: past.at(tx, "network", id, moments[0])).fields["name"] == "n0"
    assert len(read) == -(-first // history.STATE_EVERY)


def test_changes_come_page_by_page(net: Client, ticking: Clock) -> None:
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table
    for number in range(150):
        database.write(lambda tx, n=number: tx.execute(table.update().where(table.c.id == id).values(name=f"n{n}")))  # type: ignore[misc]
    found: list[str] = []
    place, pages = None, 0
    while place is not None or not pages:
        events, place = database.read(lambda tx, p=place: past.changes(tx, "network", id, before=p, limit=40))  # type: ignore[misc]
        found = [event.detail["changes"]["name"][1] for event in events] + found
        pages += 1
    assert found == ["first", *(f"n{number}" for number in range(150))]
    assert pages == 4


def test_changes_of_a_transaction_are_one(net: Client) -> None:
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table

    def rename(tx: Tx) -> None:
        for name in ("a", "b", "first", "c"):
            tx.execute(table.update().where(table.c.id == id).values(name=name))

    database.write(rename)
    assert changes(database, id)[-1] == {"name": ["first", "c"]}


def test_what_was_made_and_dropped_in_one_transaction_was_never_there(net: Client) -> None:
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table
    row = database.read(lambda tx: tx.first(table.select().where(table.c.id == id)))._asdict()

    def flicker(tx: Tx) -> None:
        tx.insert(table, row | {"id": "flicker", "segmentation_id": 99, "zone": 99})
        tx.execute(table.delete().where(table.c.id == "flicker"))

    database.write(flicker)
    assert changes(database, "flicker") == []


def test_long_values_are_cut(net: Client) -> None:
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table
    database.write(lambda tx: tx.execute(table.update().where(table.c.id == id).values(tags="x" * 100_000)))
    assert len(changes(database, id)[-1]["tags"][1]) < 5000


def test_a_loop_says_what_it_changed_and_that_it_failed(net: Client) -> None:
    database, id = net.database, made(net)
    table = history.TRACKED["network"].table

    def rename(database: Database, key: str) -> None:
        database.write(lambda tx: tx.execute(table.update().where(table.c.id == key).values(name="by a loop")))
        raise ValueError("and then it broke")

    runner = Runner(database, [Loop("rename", rename, sweep=lambda tx: [id])])
    assert runner.turn() == 1
    events = database.read(lambda tx: facts.of(tx, id))
    assert [(e.step, e.outcome) for e in events][1:] == [("loop rename", "done"), ("loop rename", "failed")]
    assert all(e.duration_ms is not None and e.duration_ms > 0 for e in events[1:])
    assert "and then it broke" in events[-1].detail["message"]


def test_no_secret_column_is_remembered() -> None:
    secret = ("password", "user_data", "secret", "token", "private", "hash", "blob")
    shown = [(t.kind, f) for t in history.TRACKED.values() for f in t.fields if f not in t.hidden]
    shown += [(p.of, f) for parts in history.PARTS.values() for p in parts for f in p.fields if not p.hidden]
    assert sorted(f"{kind}.{f}" for kind, f in shown if any(word in f for word in secret)) == [
        "image.os_hash_value",
        "policy.blob",
    ]
