"""What the commands print, on a cloud that is there."""

import json

from pilvi.kernel import clock
from pilvi.ops.audit import report
from pilvi.ops.explain import service, text
from tests.contract.compute.conftest import Boot


def test_why_of_a_server_that_is_well(boot: Boot) -> None:
    id = boot("one")
    [story] = boot.cloud.database.read(lambda tx: service.explain(tx, "one"))
    assert story.headline == "server one is active on node; nothing is wrong."
    assert (story.kind, story.id) == ("server", id)
    steps = [event.step for event in story.events]
    assert "api compute POST /servers" in steps
    assert "schedule" in steps
    assert "host power_on" in steps
    assert "host report" in steps
    assert json.dumps(text.document(story), default=str)
    assert any("api compute POST /servers" in line for line in text.lines(story, tree=True))


def test_what_was_refused_before_it_was_there_is_known_by_its_name(boot: Boot) -> None:
    assert boot.ask("never", flavorRef="nothing").status == 400
    [story] = boot.cloud.database.read(lambda tx: service.explain(tx, "never"))
    assert story.headline == "server never is unknown: Flavor nothing could not be found."


def test_why_of_something_unknown_is_empty(boot: Boot) -> None:
    assert boot.cloud.database.read(lambda tx: service.explain(tx, "nobody-knows-it")) == []


def test_every_step_of_a_host_is_an_event_of_the_instance_action(boot: Boot) -> None:
    id = boot("one")
    [action] = boot.cloud.get(f"/servers/{id}/os-instance-actions").body["instanceActions"]
    shown = boot.cloud.as_admin().get(
        f"/servers/{id}/os-instance-actions/{action['request_id']}", microversion="2.62"
    ).body["instanceAction"]  # fmt: skip
    events = {event["event"]: event for event in shown["events"]}
    assert {"scheduling", "compute_power_on", "compute_spawning"} <= set(events)
    assert events["compute_power_on"]["finish_time"] > events["compute_power_on"]["start_time"]


def test_a_guest_that_crashed_is_in_its_actions(boot: Boot) -> None:
    id = boot("one")
    wanted = boot.cloud.as_host().get("/state").body["servers"][0]
    one = {"id": id, "generation": wanted["generation"], "power": "crashed", "reboot_generation": 0, "error": None}
    boot.node.report(servers=[one | {"steps": []}])
    [action] = boot.cloud.get(f"/servers/{id}/os-instance-actions").body["instanceActions"]
    path = f"/servers/{id}/os-instance-actions/{action['request_id']}"
    events = boot.cloud.as_admin().get(path, microversion="2.51").body["instanceAction"]["events"]
    assert [e["result"] for e in events if e["event"] == "compute_guest_stopped"] == ["Error"]


def test_users_never_see_what_operators_see(boot: Boot) -> None:
    boot.node.faults["bad"] = "/var/lib/pilvi/host/node/x cannot be written on node: No space left on device."
    id = boot("bad")
    fault = boot.cloud.get(f"/servers/{id}").body["server"]["fault"]
    assert fault["message"] == "The host has no disk space for it." or "/var" not in fault["message"]
    assert "node" not in json.dumps(fault)
    details = boot.cloud.as_admin().get(f"/servers/{id}").body["server"]["fault"]["details"]
    assert "/var/lib/pilvi/host/node/x" in details
    [story] = boot.cloud.database.read(lambda tx: service.explain(tx, id))
    assert "/var/lib/pilvi/host/node/x" in story.headline


def test_why_not_asks_the_scheduler_and_makes_nothing(boot: Boot) -> None:
    database = boot.cloud.database
    before = boot.cloud.as_admin().get("/servers?all_tenants=1").body
    found = database.read(lambda tx: service.why_not(tx, flavor="m1.nano", image="tiny", network="net"))
    assert found.headline == "server m1.nano of tiny is possible on node; nothing is wrong."
    body = {"flavor": {"name": "huge", "id": "h", "ram": 64, "vcpus": 17, "disk": 1}}
    assert boot.cloud.as_admin().post("/flavors", body).status == 200
    for host in (None, "node"):
        huge = database.read(lambda tx, h=host: service.why_not(tx, flavor="huge", image="tiny", host=h))  # type: ignore[misc]
        assert "node: 17 vCPUs asked, one server may have 16" in huge.headline
        assert huge.causes[0].key == "flavor-too-large"
    strange = database.read(lambda tx: service.why_not(tx, flavor="nothing", image="tiny"))
    assert "Flavor nothing could not be found" in strange.headline
    full = {"quota_set": {"cores": 0, "force": True}}
    project = boot.cloud.facts["demo"]
    assert boot.cloud.as_admin().put(f"/os-quota-sets/{project}", full).status == 200
    short = database.read(lambda tx: service.why_not(tx, flavor="m1.nano", image="tiny", project=project))
    assert "Quota exceeded for cores" in short.headline
    assert boot.cloud.as_admin().get("/servers?all_tenants=1").body == before


def test_history_and_state_of_what_is_gone(boot: Boot) -> None:
    database = boot.cloud.database
    before = clock.timestamp()
    id = boot("one")
    assert boot.cloud.put(f"/servers/{id}", {"server": {"name": "two"}}).status == 200
    while_it_lived = clock.timestamp()
    assert boot.cloud.delete(f"/servers/{id}").status == 204
    boot.node.turn()
    page, claim = database.read(lambda tx: service.history_of(tx, id, 200))
    assert claim.kind == "consumer"
    assert (page.kind, page.id, page.older) == ("server", id, None)
    told = "\n".join(line for event in page.events for line in text.change(event))
    assert "name: one → two" in told
    assert "created by member" in told
    assert "vm_state: building → active" in told
    then, held = database.read(lambda tx: service.state_at(tx, id, while_it_lived))
    assert [value for name, value in held.state.fields.items() if name.startswith("MEMORY_MB of ")] == [192]
    assert then.state.exists
    assert (then.state.fields["name"], then.state.fields["vm_state"], then.state.fields["host"]) == (
        "two", "active", "node",
    )  # fmt: skip
    assert "name                     two" in "\n".join(text.past_lines(then, while_it_lived))
    assert [past.state.exists for past in database.read(lambda tx: service.state_at(tx, id, before))] == [False, False]


def test_the_audit_report_names_every_invariant(boot: Boot) -> None:
    boot("one")
    document = boot.cloud.database.read(report.document)
    assert [each["violations"] for each in document["invariants"]] == [0] * len(document["invariants"])
    lines = report.lines(document)
    assert any(line.startswith("claims-fit ") for line in lines)
    assert lines[-1].startswith("0 violations.")
