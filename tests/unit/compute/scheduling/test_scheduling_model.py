"""Where a server goes, from plain values: who fits, in which order, and why not the others."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.compute.scheduling.model import Amount, HostState, Request, rank


def host(name: str = "a", *, vcpu: int = 8, memory: int = 8192, disk: int = 100, **more: Any) -> HostState:
    resources = {
        "VCPU": Amount(vcpu, 0, 2.0, 0, vcpu),
        "MEMORY_MB": Amount(memory, 512, 1.0, 0, memory),
        "DISK_GB": Amount(disk, 0, 1.0, 0, disk),
    }
    plain: dict[str, Any] = {"traits": frozenset({"T"}), "availability_zone": "nova", "is_up": True, "is_enabled": True}
    return HostState(name, f"id-of-{name}", resources, **(plain | more))


ASKED = Request({"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1})

amounts = st.builds(
    Amount, st.integers(0, 64), st.integers(0, 8), st.sampled_from([0.5, 1.0, 1.5, 16.0]), st.integers(0, 100),
    st.integers(0, 64),
)  # fmt: skip
classes = st.sampled_from(["VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_THING"])
traits = st.frozensets(st.sampled_from(["T", "U", "V"]))
zones = st.sampled_from(["nova", "moon"])
hosts = st.lists(
    st.builds(
        HostState,
        name=st.sampled_from("abcdef"),
        provider_id=st.just("p"),
        resources=st.dictionaries(classes, amounts),
        traits=traits,
        availability_zone=zones,
        is_up=st.booleans(),
        is_enabled=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda h: h.name,
)
requests = st.builds(
    Request,
    resources=st.dictionaries(classes, st.integers(1, 40)),
    required_traits=traits,
    forbidden_traits=traits,
    availability_zone=st.none() | zones,
    host=st.none() | st.sampled_from("abcdef"),
)


@given(hosts, requests)
def test_a_host_that_is_ranked_always_fits(among: list[HostState], asked: Request) -> None:
    for chosen in rank(among, asked).hosts:
        assert chosen.is_up
        assert chosen.is_enabled
        assert asked.host in (None, chosen.name)
        assert asked.availability_zone in (None, chosen.availability_zone)
        assert asked.required_traits <= chosen.traits
        assert not asked.forbidden_traits & chosen.traits
        for name, amount in asked.resources.items():
            assert amount <= chosen.resources[name].free
            assert amount <= chosen.resources[name].most


@given(hosts, requests)
def test_every_host_is_ranked_or_refused_and_the_order_of_asking_does_not_matter(
    among: list[HostState], asked: Request
) -> None:
    ranking = rank(among, asked)
    names = [h.name for h in ranking.hosts] + [r.host for r in ranking.refused]
    assert sorted(names) == sorted(h.name for h in among)
    assert rank(among[::-1], asked).hosts == ranking.hosts


@given(hosts, requests)
def test_users_are_told_a_reason_without_the_names_of_hosts(among: list[HostState], asked: Request) -> None:
    named = [replace(h, name=f"secret-{h.name}") for h in among]
    assert "secret" not in rank(named, asked).explanation()


def test_the_host_with_the_most_free_memory_comes_first() -> None:
    ranking = rank([host("a"), host("b", memory=16384), host("c")], ASKED)
    assert [h.name for h in ranking.hosts] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("made", "asked", "reason"),
    [
        (host(is_up=False), ASKED, "its agent does not answer"),
        (host(is_enabled=False, disabled_reason="new disks"), ASKED, "it is disabled: new disks"),
        (host(), replace(ASKED, availability_zone="moon"), "availability zone nova, not moon"),
        (host(), replace(ASKED, host="b"), "b was asked for"),
        (host(), replace(ASKED, required_traits=frozenset({"X"})), "it lacks X"),
        (host(), replace(ASKED, forbidden_traits=frozenset({"T"})), "it has the unwanted T"),
        (host(), Request({"VCPU": 9}), "9 vCPUs asked, one server may have 8"),
        (host(), Request({"MEMORY_MB": 8000}), "8000 MiB of memory asked, 7680 free of 7680 x 1"),
        (host(), Request({"CUSTOM_FPGA": 1}), "it has no CUSTOM_FPGA"),
    ],
)
def test_operators_are_told_the_reason_with_the_numbers(made: HostState, asked: Request, reason: str) -> None:
    (refusal,) = rank([made], asked).refused
    assert reason in refusal.reason


def test_a_cloud_without_hosts_says_so() -> None:
    assert "no host yet" in rank([], ASKED).explanation()


def test_the_most_frequent_reason_is_told_first() -> None:
    down = [host(name, is_up=False) for name in "abc"]
    text = rank([*down, host("d", vcpu=0)], ASKED).explanation()
    assert text.startswith("No valid host was found. the host is down (on 3 of 4 hosts); ")
