"""Where a request fits: simple, nested, granular and shared."""

import pytest

from pilvi.kernel import ids
from tests.contract.placement.conftest import Place


def amounts(found: dict[str, list[dict[str, dict[str, dict[str, int]]]]]) -> list[dict[str, dict[str, int]]]:
    requests = found["allocation_requests"]
    return [{u: r["resources"] for u, r in each["allocations"].items()} for each in requests]  # type: ignore[misc]


def test_providers_that_can_are_found_with_their_summaries(place: Place, consumer: str) -> None:
    small, large = place.provider("small", VCPU=2, MEMORY_MB=512), place.provider("large", VCPU=16, MEMORY_MB=4096)
    found = place.candidates("resources=VCPU:4,MEMORY_MB:100")
    assert amounts(found) == [{large: {"MEMORY_MB": 100, "VCPU": 4}}]
    assert found["allocation_requests"][0]["mappings"] == {"": [large]}
    summary = found["provider_summaries"][large]
    assert summary["resources"]["VCPU"] == {"capacity": 16, "used": 0}
    assert summary["root_provider_uuid"] == large
    assert len(place.candidates("resources=VCPU:1&limit=1")["allocation_requests"]) == 1
    place.allocate(consumer, {large: {"VCPU": 15}})
    assert amounts(place.candidates("resources=VCPU:2")) == [{small: {"VCPU": 2}}]
    old = place.candidates("resources=VCPU:2", at="1.10")
    assert old["allocation_requests"] == [
        {"allocations": [{"resource_provider": {"uuid": small}, "resources": {"VCPU": 2}}]}
    ]


def test_traits_and_aggregates_choose(place: Place) -> None:
    one, two = place.provider("one", VCPU=4), place.provider("two", VCPU=4)
    aggregate = ids.uuid()
    place.traits(one, "HW_CPU_X86_AVX")
    place.aggregates(two, aggregate)

    def chosen(query: str) -> set[str]:
        return {uuid for each in amounts(place.candidates(f"resources=VCPU:1&{query}")) for uuid in each}

    assert chosen("required=HW_CPU_X86_AVX") == {one}
    assert chosen("required=!HW_CPU_X86_AVX") == {two}
    assert chosen("required=in:HW_CPU_X86_AVX,HW_CPU_X86_SSE") == {one}
    assert chosen(f"member_of={aggregate}") == {two}
    assert chosen(f"member_of=!{aggregate}") == {one}
    assert chosen(f"in_tree={one}") == {one}
    assert chosen("root_required=HW_CPU_X86_AVX") == {one}


def test_a_tree_serves_together_and_groups_choose_single_providers(place: Place) -> None:
    root = place.provider("root", DISK_GB=100)
    left, right = (place.provider(name, root, VCPU=4, MEMORY_MB=1024) for name in ("left", "right"))
    spread = amounts(place.candidates("resources=VCPU:1,DISK_GB:1"))
    assert sorted(spread, key=str) == sorted(
        [{left: {"VCPU": 1}, root: {"DISK_GB": 1}}, {right: {"VCPU": 1}, root: {"DISK_GB": 1}}], key=str
    )
    together = place.candidates("resources_CPU=VCPU:1,MEMORY_MB:1&resources=DISK_GB:1&group_policy=none")
    assert [each["mappings"]["_CPU"] for each in together["allocation_requests"]] in (
        [[left], [right]],
        [[right], [left]],
    )
    apart = place.candidates("resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate")
    assert len(apart["allocation_requests"]) == 2
    mixed = place.candidates("resources1=VCPU:1&resources2=VCPU:1&group_policy=none")
    assert len(mixed["allocation_requests"]) == 4
    below = place.candidates("resources1=VCPU:1&resources2=MEMORY_MB:1&same_subtree=1,2&group_policy=none")
    assert len(below["allocation_requests"]) == 2
    assert place.candidates("resources=VCPU:1,DISK_GB:1", at="1.28")["allocation_requests"] == []


def test_a_sharing_provider_serves_those_in_its_aggregate(place: Place) -> None:
    near, far = place.provider("near", VCPU=4), place.provider("far", VCPU=4)
    storage, aggregate = place.provider("storage", DISK_GB=1000), ids.uuid()
    place.traits(storage, "MISC_SHARES_VIA_AGGREGATE")
    for uuid in (near, storage):
        place.aggregates(uuid, aggregate)
    assert amounts(place.candidates("resources=VCPU:1,DISK_GB:5")) == [{near: {"VCPU": 1}, storage: {"DISK_GB": 5}}]
    assert len(place.candidates("resources=VCPU:1")["allocation_requests"]) == 2
    assert far not in place.candidates("resources=VCPU:1,DISK_GB:5")["provider_summaries"]


@pytest.mark.parametrize(
    "query",
    [
        "", "resources=", "resources=VCPU:0", "resources=COWS:1", "limit=0&resources=VCPU:1", "required=HW_CPU_X86_AVX",
        "resources1=VCPU:1&resources2=VCPU:1", "resources=VCPU:1&group_policy=maybe", "resources=VCPU:1&same_subtree=X",
        "resources=VCPU:1&required1=HW_CPU_X86_AVX", "resources=VCPU:1&in_tree=x", "resources=VCPU:1&colour=red",
        "resources=VCPU:1&required=HW_CPU_X86_AVX,!HW_CPU_X86_AVX",
    ],
)  # fmt: skip
def test_a_bad_question_is_400(place: Place, query: str) -> None:
    assert place.get(f"/allocation_candidates?{query}").status == 400
