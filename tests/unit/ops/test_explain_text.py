"""Stories as people read them."""

from pilvi.kernel import causes
from pilvi.kernel.facts import Event
from pilvi.ops.explain import text
from pilvi.ops.explain.story import Story, cause

POST = Event(
    "2026-11-22T16:00:00.100000Z", "req-1", "u", "p", "server", "id-1", "one", "api compute POST /servers", "done",
    100.0, {"what": "created", "by": "ann", "changes": {"vm_state": [None, "building"]}},
)  # fmt: skip
STEP = Event(
    "2026-11-22T16:00:02.000000Z", "req-1", "", "p", "server", "id-1", "one", "host define", "failed", 1500.0,
    {"message": "The host's disk is full."},
)  # fmt: skip


def story() -> Story:
    full = cause("The host's disk is full: /var/lib/pilvi has 5 bytes left.")
    return Story("server", "id-1", "one", "in ERROR on node", [full], [POST, STEP])


def test_the_first_line_is_the_cause_and_the_last_ones_say_what_to_do() -> None:
    lines = text.lines(story())
    assert lines[0].startswith("server one is in ERROR on node: The host's disk is full")
    assert [line.partition(":")[0] for line in lines[-4:]] == ["Cause", "Consequence", "Remedy", "Who can do it"]
    assert any("! 2026-11-22T16:00:02.000  host define  failed  1.5 s" in line for line in lines)
    assert any("by: ann" in line for line in lines)


def test_a_tree_has_the_request_at_its_root_and_times_since_its_beginning() -> None:
    lines = text.spans([POST, STEP])
    assert lines[0] == "req-1  2026-11-22T16:00:00.000  api compute POST /servers  100.0 ms"
    assert lines[1].startswith("└─!")
    assert "+2.0 s" in lines[1]
    assert "1.5 s  host define  failed" in lines[1]


def test_nothing_wrong_is_said_too() -> None:
    well = Story("server", "id-1", "one", "active on node")
    assert text.lines(well) == ["server one is active on node; nothing is wrong.", "", "Nothing needs to be done."]


def test_a_change_says_who_and_what() -> None:
    assert text.change(POST) == [
        "2026-11-22T16:00:00.100  created by ann  (api compute POST /servers, req-1)", "    vm_state: None → building",
    ]  # fmt: skip


def test_tenants_are_told_nothing_of_the_hosts_inside() -> None:
    said = causes.for_tenant("node-7: Image x has 99 bytes; the host's disk has 5 left in /var/lib/x.", ["node-7"])
    assert said == "The host has no disk space for it."
    assert causes.safe("guests of node-7 lie in /var/lib/pilvi/x.", ["node-7"]) == (
        "guests of the host lie in a file of the host"
    )
    assert causes.for_tenant("The guest's process died.", []).startswith("The guest's process died.")


def test_every_case_has_a_remedy_and_somebody_who_can_do_it() -> None:
    every = [case for _, case in causes._CASES]
    assert [case.key for case in every if not (case.remedy and case.who)] == []
    assert len({case.key for case in every}) == len(every)
