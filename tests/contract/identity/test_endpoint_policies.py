"""Policy documents of endpoints: the nearest one counts."""

from typing import Any

import pytest

from tests.contract.identity.conftest import World, with_token


@pytest.fixture
def place(world: World) -> dict[str, Any]:
    """An endpoint of a service in a region below another, and a policy for each level."""
    world.make("/regions", "region", id="north")
    world.make("/regions", "region", id="town", parent_region_id="north")
    service = world.make("/services", "service", type="dns")
    endpoint = world.make(
        "/endpoints", "endpoint", service_id=service["id"], interface="public", url="http://x", region_id="town"
    )
    made = [world.make("/policies", "policy", type="application/json", blob=str(i)) for i in range(4)]
    return {"service": service["id"], "endpoint": endpoint["id"], "policies": [p["id"] for p in made]}


def paths(place: dict[str, Any]) -> list[str]:
    """From the widest to the nearest."""
    service, base = f"services/{place['service']}", "/policies/{}/OS-ENDPOINT-POLICY/"
    found = [service, f"{service}/regions/north", f"{service}/regions/town", f"endpoints/{place['endpoint']}"]
    return [base.format(policy) + path for policy, path in zip(place["policies"], found, strict=True)]


def test_the_nearest_association_counts(world: World, place: dict[str, Any]) -> None:
    mine = f"/endpoints/{place['endpoint']}/OS-ENDPOINT-POLICY/policy"
    assert world.admin.get(mine).status == 404
    for policy, path in zip(place["policies"], paths(place), strict=True):
        assert world.admin.get(path).status == 404
        assert world.admin.put(path).status == 204
        assert world.admin.get(path).status == 204
        assert world.admin.request("HEAD", path).status == 204
        assert world.admin.get(mine).body["policy"]["id"] == policy
        listed = world.admin.get(f"/policies/{policy}/OS-ENDPOINT-POLICY/endpoints").body["endpoints"]
        assert [e["id"] for e in listed] == [place["endpoint"]]
    first = f"/policies/{place['policies'][0]}/OS-ENDPOINT-POLICY/endpoints"
    assert world.admin.get(first).body["endpoints"] == []
    for index in (3, 2, 1):
        assert world.admin.delete(paths(place)[index]).status == 204
        assert world.admin.delete(paths(place)[index]).status == 404
        assert world.admin.get(mine).body["policy"]["id"] == place["policies"][index - 1]
    assert world.admin.delete(paths(place)[0]).status == 204
    assert world.admin.get(mine).status == 404


def test_another_document_takes_the_place_and_a_deleted_one_leaves_it(world: World, place: dict[str, Any]) -> None:
    mine, path = f"/endpoints/{place['endpoint']}/OS-ENDPOINT-POLICY/policy", paths(place)[3]
    other = path.replace(place["policies"][3], place["policies"][0])
    assert [world.admin.put(p).status for p in (path, other)] == [204, 204]
    assert [world.admin.get(p).status for p in (path, other)] == [404, 204]
    assert world.admin.delete(path).status == 404
    assert world.admin.delete(f"/policies/{place['policies'][0]}").status == 204
    assert world.admin.get(mine).status == 404


def test_what_is_named_must_be_there_and_only_administrators_change(world: World, place: dict[str, Any]) -> None:
    base = f"/policies/{place['policies'][0]}/OS-ENDPOINT-POLICY"
    for path in ("endpoints/no", "services/no", f"services/{place['service']}/regions/no", "services/no/regions/town"):
        assert world.admin.put(f"{base}/{path}").status == 404
    assert world.admin.put(f"/policies/no/OS-ENDPOINT-POLICY/endpoints/{place['endpoint']}").status == 404
    assert world.admin.get("/endpoints/no/OS-ENDPOINT-POLICY/policy").status == 404
    me = with_token(world.admin, world.project_token(*world.member()))
    path = paths(place)[3]
    replies = [me.put(path), me.get(path), me.delete(path), me.get(f"{base}/endpoints")]
    assert [reply.status for reply in replies] == [403] * 4
