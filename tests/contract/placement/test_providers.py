"""Providers, inventories, traits, aggregates, classes."""

import pytest

from pilvi.kernel import ids
from tests.contract.client import Client
from tests.contract.placement.conftest import Place


def test_a_provider_is_made_shown_renamed_and_deleted(place: Place) -> None:
    old = place.ask("POST", "/resource_providers", {"name": "old"}, at="1.19")
    assert (old.status, old.content) == (201, b"")
    made = place.ask("POST", "/resource_providers", {"name": "new"})
    provider = made.body
    assert made.status == 200
    assert (provider["generation"], provider["parent_provider_uuid"]) == (0, None)
    assert provider["root_provider_uuid"] == provider["uuid"]
    assert {link["rel"] for link in provider["links"]} == {
        "self", "inventories", "usages", "aggregates", "traits", "allocations",
    }  # fmt: skip
    path = f"/resource_providers/{provider['uuid']}"
    assert {link["rel"] for link in place.get(path, at="1.0").body["links"]} == {"self", "inventories", "usages"}
    assert "parent_provider_uuid" not in place.get(path, at="1.13").body
    assert place.ask("PUT", path, {"name": "newer"}).body["name"] == "newer"
    assert place.ask("PUT", path, {"name": "old"}).status == 409
    assert place.ask("DELETE", path).status == 204
    assert place.get(path).status == 404


def test_errors_have_codes_from_1_23(place: Place) -> None:
    missing = f"/resource_providers/{ids.uuid()}"
    error = place.get(missing).body["errors"][0]
    assert error["code"] == "placement.resource_provider.not_found"
    assert (error["status"], error["title"]) == (404, "Not Found")
    assert error["request_id"].startswith("req-")
    assert "code" not in place.get(missing, at="1.22").body["errors"][0]


def test_microversions_are_negotiated(place: Place) -> None:
    reply = place.get("/resource_providers", at="1.5")
    assert reply.headers["openstack-api-version"] == "placement 1.5"
    refused = place.get("/resource_providers", at="1.40")
    assert refused.status == 406
    assert refused.body["errors"][0]["max_version"] == "1.39"
    assert place.get("/traits", at="1.5").status == 404
    assert place.client.anonymous().get("").body["versions"][0]["max_version"] == "1.39"


def test_only_administrators_and_services_may_ask(cloud: Client) -> None:
    member = cloud.at("/placement").as_member()
    assert member.get("/resource_providers").status == 403
    assert member.anonymous().get("/resource_providers").status == 401
    demo, other = cloud.facts["demo"], cloud.facts["other"]
    assert member.get(f"/usages?project_id={demo}", microversion="1.9").status == 200
    assert member.get(f"/usages?project_id={other}", microversion="1.9").status == 403


def test_an_inventory_write_needs_the_generation_in_force(place: Place) -> None:
    uuid = place.provider("host", VCPU=4)
    path = f"/resource_providers/{uuid}/inventories"
    stale = place.ask("PUT", path, {"resource_provider_generation": 0, "inventories": {}})
    assert (stale.status, stale.body["errors"][0]["code"]) == (409, "placement.concurrent_update")
    fresh = place.ask("PUT", f"{path}/VCPU", {"resource_provider_generation": 1, "total": 8, "allocation_ratio": 2.5})
    assert fresh.body == {
        "resource_provider_generation": 2, "total": 8, "reserved": 0, "min_unit": 1, "max_unit": 2147483647,
        "step_size": 1, "allocation_ratio": 2.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"total": 0}, {"total": 2147483648}, {"reserved": -1}, {"total": 4, "reserved": 5}, {"step_size": 0}, {"x": 1}],
)
def test_a_bad_inventory_is_400(place: Place, change: dict[str, int]) -> None:
    uuid = place.provider("host")
    document = {"resource_class": "DISK_GB", "total": 4, **change}
    assert place.ask("POST", f"/resource_providers/{uuid}/inventories", document).status == 400


def test_an_inventory_in_use_stays(place: Place, consumer: str) -> None:
    uuid = place.provider("host", VCPU=4, DISK_GB=10)
    assert place.allocate(consumer, {uuid: {"VCPU": 1}}).status == 204
    path = f"/resource_providers/{uuid}"
    gone = place.ask("DELETE", f"{path}/inventories/VCPU")
    assert (gone.status, gone.body["errors"][0]["code"]) == (409, "placement.inventory.inuse")
    assert place.ask("DELETE", f"{path}/inventories/DISK_GB").status == 204
    assert place.ask("DELETE", path).body["errors"][0]["code"] == "placement.resource_provider.inuse"
    assert place.ask("DELETE", f"/allocations/{consumer}").status == 204
    assert place.ask("DELETE", path).status == 204


def test_trees_are_kept(place: Place) -> None:
    root = place.provider("root")
    child = place.provider("child", root)
    leaf = place.provider("leaf", child)
    other = place.provider("other")
    assert {p["uuid"] for p in place.get(f"/resource_providers?in_tree={leaf}").body["resource_providers"]} == {
        root, child, leaf,
    }  # fmt: skip
    assert place.ask("DELETE", f"/resource_providers/{root}").status == 409
    loop = place.ask("PUT", f"/resource_providers/{root}", {"name": "root", "parent_provider_uuid": leaf})
    assert loop.status == 400
    assert (
        place.ask("PUT", f"/resource_providers/{child}", {"name": "child", "parent_provider_uuid": other}).status == 200
    )
    assert place.get(f"/resource_providers/{leaf}").body["root_provider_uuid"] == other


def test_standard_traits_are_there_and_own_ones_are_made(place: Place) -> None:
    everything = place.get("/traits").body["traits"]
    assert len(everything) == 377
    assert "HW_CPU_X86_AVX2" in everything
    assert place.ask("PUT", "/traits/CUSTOM_FAST").status == 201
    assert place.ask("PUT", "/traits/CUSTOM_FAST").status == 204
    assert place.ask("PUT", "/traits/FAST").status == 400
    uuid = place.provider("host")
    place.traits(uuid, "CUSTOM_FAST", "HW_CPU_X86_AVX2")
    assert place.get("/traits?associated=true&name=startswith:CUSTOM").body["traits"] == ["CUSTOM_FAST"]
    assert place.ask("DELETE", "/traits/CUSTOM_FAST").status == 409
    assert place.ask("DELETE", "/traits/HW_CPU_X86_AVX2").status == 400
    assert place.ask("DELETE", f"/resource_providers/{uuid}/traits").status == 204
    assert place.ask("DELETE", "/traits/CUSTOM_FAST").status == 204


def test_resource_classes_are_made_renamed_and_deleted(place: Place) -> None:
    names = [c["name"] for c in place.get("/resource_classes").body["resource_classes"]]
    assert len(names) == 21
    assert place.ask("PUT", "/resource_classes/CUSTOM_GOLD").status == 201
    assert place.ask("PUT", "/resource_classes/CUSTOM_GOLD").status == 204
    assert place.ask("POST", "/resource_classes", {"name": "CUSTOM_GOLD"}).status == 409
    assert place.ask("PUT", "/resource_classes/CUSTOM_GOLD", {"name": "CUSTOM_TIN"}, at="1.6").status == 200
    place.provider("mine", CUSTOM_TIN=3)
    assert place.ask("DELETE", "/resource_classes/CUSTOM_TIN").status == 409
    assert place.ask("DELETE", "/resource_classes/VCPU").status == 400
    assert place.get("/resource_classes/CUSTOM_GOLD").status == 404


def test_lists_by_what_is_free_traits_and_aggregates(place: Place, consumer: str) -> None:
    small, large = place.provider("small", VCPU=2), place.provider("large", VCPU=16)
    aggregate = ids.uuid()
    place.aggregates(large, aggregate)
    place.traits(small, "HW_CPU_X86_SSE")

    def names(query: str) -> list[str]:
        return sorted(p["name"] for p in place.get(f"/resource_providers?{query}").body["resource_providers"])

    assert names("resources=VCPU:4") == ["large"]
    assert names(f"member_of={aggregate}") == ["large"]
    assert names(f"member_of=!{aggregate}") == ["small"]
    assert names("required=HW_CPU_X86_SSE") == ["small"]
    assert names("required=!HW_CPU_X86_SSE") == ["large"]
    assert names("required=in:HW_CPU_X86_SSE,HW_CPU_X86_AVX") == ["small"]
    place.allocate(consumer, {large: {"VCPU": 15}})
    assert names("resources=VCPU:2") == ["small"]
    for bad in ("resources=VCPU", "resources=COWS:1", "member_of=x", "required=NOT_A_TRAIT", "colour=red", "uuid=x"):
        assert place.get(f"/resource_providers?{bad}").status == 400, bad
