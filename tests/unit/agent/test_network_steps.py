"""Which turns of the network driver are told, and of which objects."""

from dataclasses import replace

import pytest

from pilvi.agent.network_steps import OBJECTS_MOST, STEPS_MOST, NetworkSteps, between
from pilvi.network.drivers.protocol import DriverFault, FloatingIp, HostState, Network, Port, Router, SecurityGroup

PORT = Port(id="p1", network_id="n1", mac="fa:16:3e:00:00:01")
ROUTER = Router(id="r1", floating_ips=(FloatingIp("f1", "192.0.2.7", "10.0.0.3"),))
STATE = HostState((Network("n1", 1),), (PORT,), (SecurityGroup("g1"),), (ROUTER,))


def told(former: HostState, wanted: HostState) -> set[tuple[str, str]]:
    return {(f"{one['kind']} {one['id']}", one["does"]) for one in between(former, wanted)}


def test_objects_are_made_changed_and_removed() -> None:
    assert told(HostState(), STATE) == {
        ("network n1", "made"), ("port p1", "made"), ("security_group g1", "made"), ("router r1", "made"),
        ("floatingip f1", "made"),
    }  # fmt: skip
    assert told(STATE, STATE) == set()
    down = replace(STATE, ports=(replace(PORT, admin_state_up=False),))
    assert told(STATE, down) == {("port p1", "changed")}
    assert told(STATE, replace(STATE, routers=(replace(ROUTER, floating_ips=()),))) == {("floatingip f1", "removed")}


def test_who_joined_a_group_is_no_change_of_the_group() -> None:
    assert told(STATE, replace(STATE, security_groups=(SecurityGroup("g1", members4=("10.0.0.9",)),))) == set()


def turn(steps: NetworkSteps, wanted: HostState, fault: str = "") -> None:
    try:
        with steps.turn(wanted):
            if fault:
                raise DriverFault(fault, retry=True)
    except DriverFault:
        assert fault


def test_the_first_turn_after_a_start_is_one_line_and_later_ones_name_their_objects() -> None:
    steps = NetworkSteps()
    turn(steps, STATE)
    assert [(step["objects"], step["more"]) for step in steps.steps] == [([], 5)]
    steps.told(list(steps.steps))
    turn(steps, STATE)
    assert steps.steps == []
    turn(steps, replace(STATE, ports=()))
    [step] = steps.steps
    assert (step["objects"], step["more"], step["outcome"]) == (
        [{"kind": "port", "id": "p1", "does": "removed"}],
        0,
        "done",
    )
    assert step["duration_ms"] >= 0


def test_the_same_trouble_is_told_once_and_its_end_too() -> None:
    steps = NetworkSteps()
    turn(steps, HostState())
    for _ in range(5):
        turn(steps, STATE, "no module vxlan")
    turn(steps, STATE, "another trouble")
    turn(steps, STATE)
    assert [step["message"] for step in steps.steps] == ["no module vxlan", "another trouble", ""]


def test_what_waits_is_bounded() -> None:
    steps = NetworkSteps()
    turn(steps, HostState())
    many = tuple(replace(PORT, id=f"p{n}") for n in range(OBJECTS_MOST + 7))
    turn(steps, HostState(ports=many))
    assert (len(steps.steps[-1]["objects"]), steps.steps[-1]["more"]) == (OBJECTS_MOST, 7)
    for number in range(2 * STEPS_MOST):
        turn(steps, HostState(ports=many[:number]))
    assert len(steps.steps) == STEPS_MOST


def test_what_was_told_is_forgotten_and_the_rest_is_kept() -> None:
    steps = NetworkSteps()
    turn(steps, HostState())
    turn(steps, STATE)
    sent = list(steps.steps)
    turn(steps, HostState())
    steps.told(sent)
    assert [step["objects"][0]["does"] for step in steps.steps] == ["removed"]


def test_a_fault_goes_on_its_way() -> None:
    with pytest.raises(DriverFault), NetworkSteps().turn(STATE):
        raise DriverFault("no", retry=False)
