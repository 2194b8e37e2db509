"""What `why` and `status` tell people."""

from pilvi.kernel.facts import Event
from pilvi.ops import show, why


def event(step: str, outcome: str = "done", at: int = 0, **detail: object) -> Event:
    moment = f"2026-11-22T12:00:{at:02}.000000Z"
    return Event(moment, "req-1", "u", "p", "server", "s-1", "web", step, outcome, 12.0, detail or None)


def test_a_story_ends_with_the_cause_and_what_to_do() -> None:
    events = [
        event("servers.create"),
        event("schedule", "failed", 1, message="No host has 9000 MiB.", remedy="Resize."),
    ]
    lines = why.lines("web", events)
    assert lines[0] == "req-1:"
    assert lines[-2:] == ["Cause: schedule of server web: No host has 9000 MiB.", "What to do: Resize."]


def test_a_story_without_a_failure_says_so() -> None:
    assert why.lines("web", [event("servers.create")])[-1] == "No step failed."


def test_a_failure_that_a_later_try_overcame_is_told_as_such() -> None:
    events = [event("boot", "failed", message="busy"), event("boot", "done", 1)]
    assert why.lines("web", events)[-1] == "A later try of the same step succeeded."


def test_a_stranger_is_told_what_to_give() -> None:
    assert "request id" in why.lines("nobody", [])[0]


def test_ages_are_said_in_the_unit_that_matters() -> None:
    assert [show.age(seconds) for seconds in (0.2, 59, 61, 7200, 200000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]


def test_the_report_lists_processes_and_servers() -> None:
    document = {
        "version": "1",
        "programs": {"kernel": "6.1"},
        "tag": "00000000",
        "state_dir": "/s",
        "host": "h",
        "database": "sqlite",
        "public_url": "http://x",
        "agents_listen": "y",
        "control_plane_pss_mib": 10.0,
        "processes": [{"name": "api", "pid": None, "up_s": 0, "pss_mib": 0.0, "restarts": 2, "last_exit": "signal 9"}],
        "servers": [{"id": "i", "name": "web", "status": "ACTIVE", "addresses": ["10.0.0.2"]}],
    }
    text = "\n".join(show.lines(document))
    assert "down" in text
    assert "signal 9" in text
    assert "10.0.0.2" in text
