"""Reads and single writes that other tests do not come by."""

from tests.contract.placement.conftest import Place


def test_inventories_one_by_one(place: Place) -> None:
    node = place.provider("node")
    path = f"/resource_providers/{node}/inventories"
    assert place.get(path).body == {"resource_provider_generation": 0, "inventories": {}}
    made = place.ask("POST", path, {"resource_class": "VCPU", "total": 8, "resource_provider_generation": 0})
    assert (made.status, made.body["total"], made.body["allocation_ratio"]) == (201, 8, 1.0)
    again = {"resource_class": "VCPU", "total": 8, "resource_provider_generation": 1}
    assert place.ask("POST", path, again).status == 409
    one = place.get(f"{path}/VCPU")
    assert (one.status, one.body["total"], one.body["resource_provider_generation"]) == (200, 8, 1)
    assert list(place.get(path).body["inventories"]) == ["VCPU"]
    assert place.get(f"{path}/DISK_GB").status == 404
    assert place.ask("DELETE", path, at="1.4").status == 405
    assert place.ask("DELETE", path).status == 204
    assert place.get(path).body == {"resource_provider_generation": 2, "inventories": {}}


def test_traits_and_aggregates_of_a_provider_are_read_back(place: Place) -> None:
    node = place.provider("node")
    group = "11111111-1111-4111-8111-111111111111"
    place.traits(node, "CUSTOM_GOLD", "HW_CPU_X86_AVX2")
    place.aggregates(node, group)
    found = place.get(f"/resource_providers/{node}/traits").body
    assert sorted(found["traits"]) == ["CUSTOM_GOLD", "HW_CPU_X86_AVX2"]
    assert place.get(f"/resource_providers/{node}/aggregates").body["aggregates"] == [group]
    assert place.get("/traits/CUSTOM_GOLD").status == 204
    assert place.get("/traits/CUSTOM_SILVER").status == 404


def test_a_resource_class_lives_and_dies(place: Place) -> None:
    path = "/resource_classes/CUSTOM_FPGA"
    assert place.get(path).status == 404
    made = place.ask("POST", "/resource_classes", {"name": "CUSTOM_FPGA"})
    assert made.status == 201
    assert place.ask("POST", "/resource_classes", {"name": "CUSTOM_FPGA"}).status == 409
    assert place.ask("POST", "/resource_classes", {"name": "FPGA2"}).status == 400
    assert place.get(path).body["name"] == "CUSTOM_FPGA"
    node = place.provider("node", CUSTOM_FPGA=1)
    assert place.ask("DELETE", path).status == 409
    assert place.ask("DELETE", f"/resource_providers/{node}/inventories/CUSTOM_FPGA").status == 204
    assert place.ask("DELETE", path).status == 204
    assert place.get(path).status == 404


def test_reshaping_moves_inventory_and_claims_at_once(place: Place, consumer: str) -> None:
    """Only services may: it is for the one that knows the hosts."""
    root = place.provider("node", VCPU=8)
    child = place.provider("numa0", root)
    assert place.allocate(consumer, {root: {"VCPU": 2}}).status == 204
    held = place.get(f"/allocations/{consumer}").body
    body = {
        "inventories": {
            root: {"resource_provider_generation": place.generation(root), "inventories": {}},
            child: {"resource_provider_generation": place.generation(child), "inventories": {"VCPU": {"total": 8}}},
        },
        "allocations": {
            consumer: {
                "allocations": {child: {"resources": {"VCPU": 2}}},
                "project_id": held["project_id"], "user_id": held["user_id"],
                "consumer_generation": held["consumer_generation"], "consumer_type": held["consumer_type"],
            }
        },
    }  # fmt: skip
    assert place.ask("POST", "/reshaper", body).status == 403
    service = as_service(place)
    assert service.ask("POST", "/reshaper", body).status == 204
    assert list(place.get(f"/allocations/{consumer}").body["allocations"]) == [child]
    assert place.get(f"/resource_providers/{root}/inventories").body["inventories"] == {}
    assert place.get(f"/resource_providers/{child}/usages").body["usages"] == {"VCPU": 2}
    assert service.ask("POST", "/reshaper", body).status == 409


def as_service(place: Place) -> Place:
    """The same with a user that has the role `service`."""
    from dataclasses import replace

    from tests.contract.conftest import login

    client = place.client
    admin = client.as_admin().at("/identity/v3")
    body = {"user": {"name": "nova", "domain_id": "default", "password": "secret-of-nova"}}
    user_id = admin.post("/users", body).body["user"]["id"]
    role_id = client.facts["roles"]["service"]
    assert admin.put(f"/projects/{client.facts['demo']}/users/{user_id}/roles/{role_id}").status == 204
    return Place(replace(client, token=login(client, "nova", "secret-of-nova", "demo")))
