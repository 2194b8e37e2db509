"""A server's states: what a report means, which action starts where, what users see."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.compute.servers.model import (
    PAUSE,
    REBOOT,
    REBOOT_HARD,
    START,
    STATUS,
    STOP,
    UNPAUSE,
    Action,
    Power,
    Report,
    Server,
    Task,
    VmState,
    check_action,
    host_id,
    hostname_of,
    outcome,
    status_of,
)
from pilvi.kernel.errors import Conflict

NOW = "2026-11-22T16:00:00.000000Z"
EMPTY: dict[str, Any] = {"str": "", "int": 0, "bool": False, "float": 0.0}


def server(**more: Any) -> Server:
    plain: dict[str, Any] = {f.name: EMPTY.get(getattr(f.type, "__name__", "")) for f in fields(Server)}
    plain |= {
        "id": "one", "vm_state": "active", "wanted_power": "on", "generation": 1, "seen_generation": 1,
        "power_state": 1, "launched_at": NOW, "reboot_kind": "soft", "nics": [],
    }  # fmt: skip
    return Server(**(plain | more))


def report(
    generation: int = 1, power: Power = Power.ON, reboot_generation: int = 0, error: dict[str, Any] | None = None
) -> Report:
    return Report("one", generation, power, reboot_generation, error, [])


servers = st.builds(
    server,
    vm_state=st.sampled_from(VmState).map(str),
    task_state=st.none() | st.sampled_from(Task).map(str),
    wanted_power=st.sampled_from([Power.ON, Power.OFF, Power.PAUSED, Power.ABSENT]).map(str),
    power_state=st.sampled_from([0, 1, 3, 4, 6]),
    generation=st.integers(1, 4),
    seen_generation=st.integers(0, 4),
    reboot_generation=st.integers(0, 2),
    launched_at=st.none() | st.just(NOW),
)
errors = st.none() | st.builds(lambda retry: {"message": "no", "detail": "", "retry": retry}, st.booleans())
reports = st.builds(
    report,
    generation=st.integers(0, 5),
    power=st.sampled_from(Power),
    reboot_generation=st.integers(0, 2),
    error=errors,
)


@given(servers, reports)
def test_repeating_any_report_changes_nothing(before: Server, said: Report) -> None:
    after = replace(before, **outcome(before, said, NOW).changes)
    again = outcome(after, said, "2026-11-22T17:00:00.000000Z")
    assert again.changes == {}
    assert not again.finished


@given(servers, reports)
def test_a_report_leaves_a_state_that_users_can_be_shown(before: Server, said: Report) -> None:
    after = replace(before, **outcome(before, said, NOW).changes)
    assert after.status in {*STATUS.values(), "REBOOT", "HARD_REBOOT"}


@given(servers, reports)
def test_an_older_wish_proves_nothing(before: Server, said: Report) -> None:
    late = replace(said, generation=before.generation - 1)
    assert outcome(before, late, NOW).changes == {}
    assert not outcome(before, late, NOW).gone


@given(servers, reports)
def test_only_a_server_that_is_to_go_goes(before: Server, said: Report) -> None:
    if outcome(before, said, NOW).gone:
        assert (before.wanted_power, said.power) == (Power.ABSENT, Power.ABSENT)


def test_a_guest_that_fell_is_not_started_again() -> None:
    result = outcome(server(), report(power=Power.CRASHED), NOW)
    assert (result.changes["vm_state"], result.changes["wanted_power"]) == ("stopped", "off")
    assert result.changes["generation"] == 2


def test_a_server_that_never_came_up_keeps_its_fault() -> None:
    failed = report(power=Power.OFF, error={"message": "The disk is full."})
    broken = server(vm_state="building", task_state="spawning", seen_generation=0, launched_at=None)
    broken = replace(broken, **outcome(broken, failed, NOW).changes)
    assert outcome(broken, report(power=Power.OFF), NOW).changes == {}
    assert broken.status == "ERROR"


def test_a_failure_that_the_host_will_retry_is_no_failure_yet() -> None:
    building = server(vm_state="building", task_state="spawning", seen_generation=0)
    said = report(power=Power.OFF, error={"message": "The image is on its way.", "retry": True})
    assert outcome(building, said, NOW).changes == {}


def test_a_reboot_ends_when_the_host_has_counted_it() -> None:
    rebooting = server(task_state="rebooting", generation=2, reboot_generation=1)
    assert outcome(rebooting, report(generation=2), NOW).changes == {}
    done = outcome(rebooting, report(generation=2, reboot_generation=1), NOW)
    assert done.finished
    assert done.changes["task_state"] is None


def test_an_operators_word_is_not_overruled_by_a_report() -> None:
    assert outcome(server(vm_state="error"), report(), NOW).changes == {}


ALLOWED = {
    STOP: {"active", "error"}, START: {"stopped"}, PAUSE: {"active"}, UNPAUSE: {"paused"}, REBOOT: {"active"},
    REBOOT_HARD: {"active", "stopped", "paused", "error"},
}  # fmt: skip


@pytest.mark.parametrize("action", list(ALLOWED), ids=lambda a: f"{a.name} {a.task}")
@pytest.mark.parametrize("state", [str(s) for s in VmState])
def test_actions_start_from_their_states_and_no_other(action: Action, state: str) -> None:
    if state in ALLOWED[action]:
        check_action(server(vm_state=state), action)
    else:
        with pytest.raises(Conflict, match=f"Cannot '{action.name}' instance one while it is in vm_state {state}"):
            check_action(server(vm_state=state), action)


def test_only_a_hard_reboot_may_interrupt_a_task() -> None:
    busy = server(task_state="rebooting")
    check_action(busy, REBOOT_HARD)
    with pytest.raises(Conflict, match="task_state rebooting"):
        check_action(busy, STOP)
    with pytest.raises(Conflict, match="task_state powering-off"):
        check_action(server(task_state="powering-off"), REBOOT_HARD)


@pytest.mark.parametrize("state", list(VmState))
@pytest.mark.parametrize("task", [None, *Task])
def test_every_state_and_task_has_a_status(state: VmState, task: Task | None) -> None:
    assert status_of(state, task)


@given(st.text(max_size=300))
def test_every_name_makes_a_host_name(name: str) -> None:
    made = hostname_of(name, "a1b2")
    assert 1 <= len(made) <= 63
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in made)
    assert not made.startswith("-")
    assert not made.endswith("-")


def test_a_host_id_tells_hosts_apart_within_a_project_only() -> None:
    assert host_id("p", "a") == host_id("p", "a") != host_id("p", "b")
    assert host_id("p", "a") != host_id("q", "a")
    assert host_id("p", None) == ""
