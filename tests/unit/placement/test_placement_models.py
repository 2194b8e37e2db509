"""The pure parts of placement: capacity, changes of the books, criteria, candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.kernel.errors import BadRequest
from pilvi.placement import criteria
from pilvi.placement.allocation_candidates.model import Candidate, Place, Request, World, candidates
from pilvi.placement.allocations.model import Allocation, Wish, changes
from pilvi.placement.criteria import Criteria
from pilvi.placement.inventories.model import CAPACITY_MOST, Inventory, capacity
from pilvi.placement.resource_classes.model import STANDARD
from pilvi.placement.traits.model import SHARING, in_order, is_custom, standard


def test_there_are_377_traits_and_21_classes() -> None:
    assert len(standard()) == 377
    assert len(STANDARD) == 21
    assert is_custom("CUSTOM_X")
    assert not is_custom("CUSTOM_x")
    assert in_order(frozenset({"CUSTOM_A", "HW_B"})) == ("HW_B", "CUSTOM_A")


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.floats(0.001, 3.4e38))
def test_capacity_fits_into_the_database(total: int, reserved: int, ratio: float) -> None:
    assert capacity(total, min(total, reserved), ratio) <= CAPACITY_MOST


HELD = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(1, 5)), unique_by=lambda t: t[:2])


@given(HELD, HELD)
def test_changes_say_what_each_inventory_goes_through(before: list, after: list) -> None:  # type: ignore[type-arg]
    held = [Allocation("c", provider, name, amount, "") for provider, name, amount in before]
    amounts: dict[str, dict[str, int]] = {}
    for provider, name, amount in after:
        amounts.setdefault(provider, {})[name] = amount
    found = changes(held, [Wish("c", amounts)])
    assert list(found) == sorted(found)
    assert sum(change.before for change in found.values()) == sum(amount for *_, amount in before)
    assert sum(change.after for change in found.values()) == sum(amount for *_, amount in after)


def test_resources_are_read() -> None:
    assert criteria.resources("VCPU:2,MEMORY_MB:512") == {"VCPU": 2, "MEMORY_MB": 512}
    for bad in ("", "VCPU", "VCPU:", "VCPU:x", "VCPU:0", "VCPU:-1", ":3", "VCPU:1,,"):
        with pytest.raises(BadRequest):
            criteria.resources(bad)


def test_traits_are_read_as_the_microversion_knows_them() -> None:
    required, forbidden = criteria.traits(["A,!B", "in:C,D"], 39)
    assert required == [frozenset("A"), frozenset("CD")]
    assert forbidden == {"B"}
    assert criteria.traits(["A", "B"], 22)[0] == [frozenset("B")]
    for values, version in ((["!A"], 21), (["in:A"], 38), (["A,"], 39), (["A,!A"], 39), (["in:!A"], 39)):
        with pytest.raises(BadRequest):
            criteria.traits(values, version)


def place(uuid: str, parent: str = "", root: str = "", traits: str = "", aggregates: str = "", **stock: int) -> Place:
    inventories = {
        name: Inventory(uuid, name, total, 0, 1, total, 1, 1.0, 0, total, "") for name, total in stock.items()
    }
    return Place(
        uuid, parent or None, root or uuid, frozenset(traits.split()), frozenset(aggregates.split()), inventories
    )


def served(found: list[Candidate]) -> set[tuple[tuple[str, tuple[str, ...]], ...]]:
    return {tuple(sorted(candidate.mappings.items())) for candidate in found}


def test_the_root_is_judged_by_its_own_traits() -> None:
    world = World([place("a", traits="GOOD", CPU=1), place("b", CPU=1)])
    group = {"": Criteria({"CPU": 1})}
    assert served(candidates(world, Request(group, root_required=frozenset({"GOOD"})))) == {(("", ("a",)),)}
    assert served(candidates(world, Request(group, root_forbidden=frozenset({"GOOD"})))) == {(("", ("b",)),)}


def test_groups_on_one_provider_share_its_room() -> None:
    world = World([place("a", CPU=3)])
    groups = {"1": Criteria({"CPU": 2}), "2": Criteria({"CPU": 2})}
    assert candidates(world, Request(groups)) == []
    assert len(candidates(world, Request({**groups, "2": Criteria({"CPU": 1})}))) == 1


def test_a_sharing_provider_serves_its_aggregate_only() -> None:
    world = World([
        place("near", aggregates="x", CPU=1), place("far", CPU=1), place("disk", "", "", SHARING, "x", DISK=9),
    ])  # fmt: skip
    found = candidates(world, Request({"": Criteria({"CPU": 1, "DISK": 1})}))
    assert [set(candidate.amounts) for candidate in found] == [{"near", "disk"}]


STOCK = st.dictionaries(st.sampled_from(["CPU", "RAM"]), st.integers(1, 4))
ASKED = st.dictionaries(st.sampled_from(["CPU", "RAM"]), st.integers(1, 4), min_size=1)


@given(st.lists(STOCK, min_size=1, max_size=5), ASKED)
def test_single_providers_are_candidates_exactly_when_they_fit(
    stocks: list[dict[str, int]], asked: dict[str, int]
) -> None:
    world = World([place(f"p{i}", **stock) for i, stock in enumerate(stocks)])
    found = {next(iter(c.amounts)) for c in candidates(world, Request({"": Criteria(asked)}))}
    assert found == {
        f"p{i}" for i, stock in enumerate(stocks) if all(stock.get(name, 0) >= amount for name, amount in asked.items())
    }


@given(st.lists(st.tuples(STOCK, st.integers(0, 3)), min_size=1, max_size=5), ASKED, st.booleans())
def test_no_candidate_takes_more_than_there_is(tree: list, asked: dict[str, int], isolate: bool) -> None:  # type: ignore[type-arg]
    places = [
        place(f"p{i}", f"p{min(parent, i - 1)}" if i else "", "p0", **stock) for i, (stock, parent) in enumerate(tree)
    ]
    world = World(places)
    groups = {"": Criteria(asked), "1": Criteria({"CPU": 1}), "2": Criteria({"CPU": 2})}
    for candidate in candidates(world, Request(groups, isolate=isolate)):
        for uuid, amounts in candidate.amounts.items():
            assert all(world.places[uuid].inventories[name].takes(amount) for name, amount in amounts.items())
        assert not isolate or candidate.mappings["1"] != candidate.mappings["2"]
