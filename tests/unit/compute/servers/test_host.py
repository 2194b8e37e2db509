"""The host's side of servers: the plan with random input, the loop on the fake hypervisor."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.compute.drivers.fake import Fake
from pilvi.compute.drivers.image_cache import Image
from pilvi.compute.drivers.protocol import DriverFault, ImageFile, Observed
from pilvi.compute.servers.host import HostServers, Reboot, Step, Wanted, parse, plan
from pilvi.compute.servers.host.plan import stays_down, steps_of

ids = st.sampled_from(["a", "b", "c"])
wanteds = st.builds(
    Wanted,
    id=ids,
    generation=st.integers(1, 4),
    power=st.sampled_from(["on", "off", "paused", "absent"]),
    reboot=st.builds(Reboot, st.integers(0, 3), st.sampled_from(["soft", "hard"])),
    snapshot=st.sampled_from(["", "image"]),
)
observeds = st.builds(
    Observed,
    id=ids,
    power=st.sampled_from(["on", "off", "paused", "crashed"]),
    generation=st.integers(0, 4),
    stopped_generation=st.integers(0, 4),
    reboot_generation=st.integers(0, 3),
    stopped_by=st.sampled_from(["nobody", "host", "guest", "outage"]),
    crashes=st.integers(0, 5),
)


def by_id(items: list[Any]) -> dict[str, Any]:
    return {item.id: item for item in items}


def taken(step: Step, wanted: Wanted, seen: Observed | None) -> Observed | None:
    """What a step promises, by the protocol."""
    if step is Step.DESTROY:
        return None
    if seen is None:
        assert step is Step.DEFINE
        return Observed(wanted.id, "off", wanted.generation, reboot_generation=wanted.reboot.generation)
    match step:
        case Step.DEFINE:
            return replace(seen, generation=max(seen.generation, wanted.generation))
        case Step.POWER_ON:
            assert seen.power in ("off", "crashed")
            return replace(seen, power="on", stopped_by="nobody")
        case Step.REBOOT:
            return replace(seen, power="on", stopped_by="nobody", reboot_generation=wanted.reboot.generation)
        case Step.POWER_OFF:
            return replace(seen, power="off", stopped_by="host")
        case Step.PAUSE:
            assert seen.power == "on"
            return replace(seen, power="paused")
        case Step.RESUME:
            assert seen.power == "paused"
            return replace(seen, power="on")
        case Step.SNAPSHOT:
            return seen
    raise AssertionError(step)


def sent_by(steps: tuple[Step, ...], wanted: Wanted) -> set[str]:
    return {wanted.snapshot} if Step.SNAPSHOT in steps else set()


@given(wanted=wanteds, present=st.none() | observeds)
def test_one_round_of_steps_converges_and_the_next_has_none(wanted: Wanted, present: Observed | None) -> None:
    seen = present
    steps = steps_of(wanted, present)
    for step in steps:
        seen = taken(step, wanted, seen)
    assert (Step.SNAPSHOT in steps) is bool(wanted.snapshot and wanted.power != "absent")
    assert steps_of(wanted, seen, sent_by(steps, wanted)) == ()
    if wanted.power == "absent":
        assert seen is None
        return
    assert seen is not None
    assert seen.generation >= wanted.generation
    assert seen.power == wanted.power or stays_down(wanted, seen)


@given(wanted=wanteds, present=st.none() | observeds, cut=st.integers(0, 4))
def test_a_crash_between_steps_is_mended_by_planning_again(wanted: Wanted, present: Observed | None, cut: int) -> None:
    seen = present
    begun = steps_of(wanted, present)[:cut]
    for step in begun:
        seen = taken(step, wanted, seen)
    rest = steps_of(wanted, seen, sent_by(begun, wanted))
    for step in rest:
        seen = taken(step, wanted, seen)
    assert steps_of(wanted, seen, sent_by(begun, wanted) | sent_by(rest, wanted)) == ()


@given(wanted=st.lists(wanteds), present=st.lists(observeds), may_delete=st.booleans())
def test_only_a_complete_list_removes_what_it_does_not_mention(
    wanted: list[Wanted], present: list[Observed], may_delete: bool
) -> None:
    todo = plan(by_id(wanted), by_id(present), may_delete=may_delete)
    unmentioned = set(by_id(present)) - set(by_id(wanted))
    assert {id for id in unmentioned if todo.get(id) == (Step.DESTROY,)} == (unmentioned if may_delete else set())


def test_a_guest_that_switched_itself_off_stays_off_until_somebody_asks_again() -> None:
    off = Observed("a", "off", 3, stopped_by="guest", stopped_generation=3)
    assert steps_of(Wanted("a", 3, "on"), off) == ()
    assert steps_of(Wanted("a", 4, "on"), off) == (Step.DEFINE, Step.POWER_ON)
    assert steps_of(Wanted("a", 3, "off"), off) == (Step.POWER_OFF,)


def test_a_guest_is_started_again_after_an_outage_and_a_few_times_after_crashes() -> None:
    assert steps_of(Wanted("a", 1, "on"), Observed("a", "off", 1, stopped_by="outage")) == (Step.POWER_ON,)
    crashed = Observed("a", "crashed", 1, stopped_by="outage", crashes=2)
    assert steps_of(Wanted("a", 1, "on"), crashed) == (Step.POWER_ON,)
    assert steps_of(Wanted("a", 1, "on"), replace(crashed, crashes=3)) == ()


# --- the loop


def document(server_id: str = "a", **changes: Any) -> dict[str, Any]:
    return {
        "id": server_id,
        "project_id": "p",
        "name": "one",
        "generation": 1,
        "power": "on",
        "reboot": {"generation": 0, "kind": "soft"},
        "vcpus": 1,
        "memory_mib": 128,
        "root_gib": 1,
        "image": {"id": "i", "sha512": "0" * 128, "disk_format": "raw", "size_bytes": 1, "virtual_size_bytes": 1},
        "nics": [{"port_id": "p1", "mac": "FA:16:3E:00:00:01", "mtu": 1450, "network_id": "n"}],
        "config_drive": True,
        "metadata": {"files": {"openstack/latest/user_data": "AP8=", "a": "dGV4dA=="}},
        "request_id": "req-1",
        **changes,
    }


class Rig:
    def __init__(self, fake: Fake, fetch: Callable[[Image], ImageFile] | None = None) -> None:
        self.fake = fake
        self.images: dict[str, bytes] = {}
        self.send_faults: list[DriverFault] = []
        self.revision = 0
        self.servers = HostServers(
            fake,
            open_tap=lambda port_id: 0,
            fetch_image=fetch or (lambda image: ImageFile(Path("/image"), image.disk_format, 1)),
            send_image=self.send,
            shutdown_timeout_s=0,
        )

    def send(self, image_id: str, path: Path) -> None:
        if self.send_faults:
            raise self.send_faults.pop()
        self.images[image_id] = path.read_bytes()

    def want(self, *documents: dict[str, Any], complete: bool = True) -> None:
        self.revision += 1
        assert self.servers.apply(documents, revision=self.revision, complete=complete)
        self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self.servers.turn()
            assert self.servers.wait_idle(10)

    def report(self, server_id: str = "a") -> dict[str, Any]:
        (found,) = (report for report in self.servers.reports(everything=True) if report["id"] == server_id)
        return found


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig(Fake())
    yield rig
    rig.servers.close()


def test_a_server_is_booted_and_each_step_reported(rig: Rig) -> None:
    rig.want(document())
    report = rig.report()
    assert (report["power"], report["generation"], report["error"]) == ("on", 1, None)
    assert [step["step"] for step in report["steps"]] == ["fetch_image", "define", "power_on"]
    assert {step["outcome"] for step in report["steps"]} == {"done"}
    assert {step["request_id"] for step in report["steps"]} == {"req-1"}


def test_an_image_of_a_server_is_made_and_sent_once_though_it_is_asked_for_again(rig: Rig) -> None:
    rig.want(document())
    rig.want(document(snapshot="i1"))
    assert rig.images["i1"].startswith(b"QFI\xfb")
    assert [step["step"] for step in rig.report()["steps"]][-2:] == ["snapshot", "upload_image"]
    rig.images.clear()
    rig.want(document(snapshot="i1"))
    assert rig.images == {}
    assert (rig.report()["generation"], rig.report()["error"]) == (1, None)
    rig.want(document(snapshot="i2"))
    assert set(rig.images) == {"i2"}
    assert rig.fake.boots("a") == 1


def test_an_image_that_did_not_arrive_is_sent_again_and_no_file_is_left(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.fake._file = tmp_path / "guests.json"
    rig.send_faults = [DriverFault("The control plane is away.", retry=True)]
    rig.want(document(snapshot="i1"))
    assert rig.images == {}
    assert rig.report()["error"]["message"] == "The control plane is away."
    monkeypatch.setattr("pilvi.compute.servers.host.loop.clock.monotonic", lambda: 1e12)
    rig.settle()
    assert "i1" in rig.images
    assert rig.report()["error"] is None
    assert list(tmp_path.glob("snapshot-*")) == []


def test_an_image_that_cannot_be_made_is_given_up_and_the_server_goes_on(rig: Rig) -> None:
    rig.want(document())
    rig.fake.fail_next("snapshot", DriverFault("The disk is broken.", retry=False))
    rig.want(document(snapshot="i1"))
    report = rig.report()
    assert (report["power"], report["generation"], report["error"]["retry"]) == ("on", 1, False)
    assert report["error"]["image"] == "i1"
    rig.want(document())
    assert rig.report()["error"] is None


def test_news_is_told_once_and_steps_are_dropped_when_they_arrived(rig: Rig) -> None:
    rig.want(document())
    news = rig.servers.reports()
    assert len(news) == 1
    rig.servers.sent(news)
    assert rig.servers.reports() == []
    assert rig.report()["steps"] == []
    rig.settle()
    assert rig.servers.reports() == []
    rig.fake.guest_shuts_down("a")
    rig.settle()
    assert [report["power"] for report in rig.servers.reports()] == ["off"]
    assert rig.fake.boots("a") == 1


def test_a_server_goes_through_its_life(rig: Rig) -> None:
    rig.want(document())
    rig.want(document(generation=2, power="paused"))
    assert rig.report()["power"] == "paused"
    rig.want(document(generation=3, power="on"))
    rig.want(document(generation=4, reboot={"generation": 1, "kind": "hard"}))
    assert (rig.report()["reboot_generation"], rig.fake.boots("a")) == (1, 2)
    rig.want(document(generation=5, power="off", reboot={"generation": 1, "kind": "hard"}))
    assert (rig.report()["power"], rig.report()["generation"]) == ("off", 5)
    rig.want({"id": "a", "generation": 6, "power": "absent"})
    assert (rig.report()["power"], rig.report()["generation"]) == ("absent", 6)
    assert rig.fake.guests() == {}


def test_an_incomplete_or_older_state_deletes_nothing(rig: Rig) -> None:
    rig.want(document("a"), document("b"))
    rig.want(document("b"), complete=False)
    assert set(rig.fake.guests()) == {"a", "b"}
    assert not rig.servers.apply([], revision=1, complete=True)
    rig.want(document("b"), {"id": "c", "power": "what"})
    assert set(rig.fake.guests()) == {"a", "b"}, "a list that was not understood is not complete"
    rig.want(document("b"))
    assert set(rig.fake.guests()) == {"b"}


def test_nothing_happens_before_the_first_state_is_known() -> None:
    fake = Fake()
    Rig(fake).want(document())
    rig = Rig(fake)
    rig.settle()
    assert set(fake.guests()) == {"a"}
    assert rig.servers.reports() == []


def test_a_fault_that_cannot_pass_is_reported_at_once_and_not_tried_again(rig: Rig) -> None:
    rig.fake.fail_next("define", DriverFault("The image needs 5 GiB; the flavor gives 1 GiB.", retry=False))
    rig.want(document())
    report = rig.report()
    assert report["generation"] == 1
    assert report["error"] == {
        "message": "The image needs 5 GiB; the flavor gives 1 GiB.",
        "detail": "",
        "retry": False,
    }
    assert [step["outcome"] for step in report["steps"]] == ["done", "failed"]
    assert rig.fake.guests() == {}
    rig.want(document(generation=2))
    assert (rig.report()["power"], rig.report()["error"]) == ("on", None)


def test_a_fault_that_may_pass_is_tried_again_later(rig: Rig) -> None:
    rig.fake.fail_next("power_on", DriverFault("busy", retry=True))
    rig.want(document())
    report = rig.report()
    assert (report["power"], report["generation"], report["error"]["retry"]) == ("off", 0, True)
    deadline = threading.Event()
    for _ in range(40):
        deadline.wait(0.1)
        rig.settle()
        if rig.report()["power"] == "on":
            break
    assert (rig.report()["power"], rig.report()["generation"], rig.report()["error"]) == ("on", 1, None)


def test_a_bug_in_one_step_harms_no_other_server() -> None:
    def fetch(image: Image) -> ImageFile:
        if image.id == "bad":
            raise ZeroDivisionError
        return ImageFile(Path("/image"), "raw", 1)

    rig = Rig(Fake(), fetch)
    bad = {**document("a")["image"], "id": "bad"}
    rig.want(document("a", image=bad), document("b"))
    assert rig.report("b")["power"] == "on"
    assert "ZeroDivisionError" in rig.report("a")["error"]["detail"]


def test_a_restarted_agent_disturbs_no_guest(tmp_path: Path) -> None:
    rig = Rig(Fake(tmp_path / "guests"))
    rig.want(document("a"), document("b", power="paused"))
    again = Rig(Fake(tmp_path / "guests"))
    again.revision = rig.revision - 1
    again.want(document("a"), document("b", power="paused"))
    assert again.fake.calls == []
    assert [report["power"] for report in again.servers.reports()] == ["on", "paused"]


def test_a_list_that_cannot_be_read_changes_nothing(rig: Rig) -> None:
    rig.want(document())
    rig.fake.fail_next("guests", DriverFault("the disk is gone", retry=True))
    rig.servers.turn()
    assert rig.report()["power"] == "on"


def test_a_document_is_understood_to_the_last_field() -> None:
    server = parse(document())
    assert server.config_drive == {"openstack/latest/user_data": b"\x00\xff", "a": b"text"}
    assert (server.nics[0].mac, server.nics[0].mtu) == ("fa:16:3e:00:00:01", 1450)
    with pytest.raises(ValueError, match="base64"):
        parse(document(metadata={"files": {"x": "%%"}}))
