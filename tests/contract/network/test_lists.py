from urllib.parse import urlsplit

import pytest

from tests.contract.network.conftest import Net, refused


@pytest.fixture
def five(net: Net) -> list[str]:
    return [net.make("networks", name=name)["id"] for name in ("b", "d", "a", "e", "c")]


def test_lists_are_sorted_as_asked(net: Net, five: list[str]) -> None:
    assert [n["name"] for n in net.list("networks", "sort_key=name&sort_dir=desc")] == list("edcba")
    assert [n["name"] for n in net.list("networks", "sort_key=name")] == list("abcde")
    assert [n["id"] for n in net.list("networks")] == sorted(five)


def test_unknown_sort_keys_and_filters_are_refused(net: Net) -> None:
    refused(net.ask("GET", "/networks?sort_key=colour"), 400, "HTTPBadRequest")
    refused(net.ask("GET", "/networks?colour=blue"), 400, "HTTPBadRequest")
    refused(net.ask("GET", "/networks?sort_key=name&sort_dir=sideways"), 400, "HTTPBadRequest")


def test_pages_are_walked_by_marker_until_an_empty_one(net: Net, five: list[str]) -> None:
    seen: list[str] = []
    marker = ""
    for _ in range(5):
        page = net.list("networks", f"limit=2&sort_key=name{marker}")
        if not page:
            break
        seen += [n["name"] for n in page]
        marker = f"&marker={page[-1]['id']}"
    assert seen == list("abcde")


def test_links_lead_forwards_and_backwards_only_when_pages_are_asked_for(net: Net, five: list[str]) -> None:
    assert "networks_links" not in net.ask("GET", "/networks").body
    first = net.ask("GET", "/networks?limit=2&sort_key=name&sort_dir=asc").body
    links = {link["rel"]: link["href"] for link in first["networks_links"]}
    second = net.client.at("").get(urlsplit(links["next"]).path + "?" + urlsplit(links["next"]).query).body
    assert [n["name"] for n in second["networks"]] == ["c", "d"]
    back = next(link["href"] for link in second["networks_links"] if link["rel"] == "previous")
    again = net.client.at("").get(urlsplit(back).path + "?" + urlsplit(back).query).body
    assert [n["name"] for n in again["networks"]] == ["a", "b"]


def test_an_unknown_marker_is_not_found(net: Net) -> None:
    reply = net.ask("GET", "/networks?limit=1&marker=00000000-0000-4000-8000-000000000000")
    refused(reply, 404, "NetworkNotFound")


def test_fields_choose_what_is_shown(net: Net, five: list[str]) -> None:
    assert all(set(n) == {"id", "name"} for n in net.list("networks", "fields=id&fields=name"))
    assert net.ask("GET", f"/networks/{five[0]}?fields=name").body["network"] == {"name": "b"}


def test_a_repeated_filter_means_either(net: Net, five: list[str]) -> None:
    assert sorted(n["name"] for n in net.list("networks", "name=a&name=c&name=zzz")) == ["a", "c"]
    assert net.list("networks", "name=") == []
    assert len(net.list("networks", "admin_state_up=True&status=ACTIVE&mtu=1450")) == 5


def test_tags_are_put_and_found(net: Net, five: list[str]) -> None:
    one, two = five[:2]
    assert net.ask("PUT", f"/networks/{one}/tags", {"tags": ["red", "blue"]}).body == {"tags": ["blue", "red"]}
    assert net.ask("PUT", f"/networks/{two}/tags/red").status == 201
    assert net.ask("POST", f"/networks/{two}/tags", {"tags": ["green"]}).status == 201
    assert net.show("networks", two)["tags"] == ["green", "red"]
    assert {n["id"] for n in net.list("networks", "tags=red")} == {one, two}
    assert {n["id"] for n in net.list("networks", "tags=red,blue")} == {one}
    assert {n["id"] for n in net.list("networks", "tags-any=blue,green")} == {one, two}
    assert {n["id"] for n in net.list("networks", "not-tags=red,blue")} == set(five) - {one}
    assert {n["id"] for n in net.list("networks", "not-tags-any=red,blue")} == set(five) - {one, two}
    assert net.ask("GET", f"/networks/{one}/tags/red").status == 204
    refused(net.ask("GET", f"/networks/{one}/tags/re"), 404, "TagNotFound")
    assert net.ask("DELETE", f"/networks/{one}/tags/red").status == 204
    refused(net.ask("DELETE", f"/networks/{one}/tags/red"), 404, "TagNotFound")
    assert net.ask("DELETE", f"/networks/{one}/tags").status == 204
    assert net.ask("GET", f"/networks/{one}/tags").body == {"tags": []}


@pytest.mark.parametrize("collection", ["subnets", "ports", "routers", "security-groups", "subnetpools"])
def test_every_standard_resource_has_tags(net: Net, collection: str) -> None:
    network, subnet = net.network_with_subnet()
    ids = {
        "subnets": lambda: subnet["id"],
        "ports": lambda: net.make("ports", network_id=network["id"])["id"],
        "routers": lambda: net.make("routers", name="r")["id"],
        "security-groups": lambda: net.make("security-groups", name="g")["id"],
        "subnetpools": lambda: net.make("subnetpools", name="p", prefixes=["10.9.0.0/16"])["id"],
    }
    id = ids[collection]()
    assert net.ask("PUT", f"/{collection}/{id}/tags", {"tags": ["x"]}).body == {"tags": ["x"]}
    assert [one["id"] for one in net.list(collection, "tags=x")] == [id]
    stranger = net.as_("stranger")
    assert stranger.ask("GET", f"/{collection}/{id}/tags").status == 404
    refused(net.as_("reader").ask("PUT", f"/{collection}/{id}/tags/y"), 403, "PolicyNotAuthorized")


def test_bad_tags_are_refused(net: Net, five: list[str]) -> None:
    for tag in ("a,b", "x" * 256, "a\nb"):
        assert net.ask("PUT", f"/networks/{five[0]}/tags", {"tags": [tag]}).status == 400


@pytest.mark.parametrize("key", ["admin_state_up", "port_security_enabled", "name", "description", "created_at"])
def test_pages_can_be_walked_in_any_order(net: Net, five: list[str], key: str) -> None:
    net.put("networks", five[2], admin_state_up=False)
    for direction in ("asc", "desc"):
        seen: list[str] = []
        marker = ""
        while page := net.list("networks", f"limit=1&sort_key={key}&sort_dir={direction}{marker}"):
            seen.append(page[0]["id"])
            marker = f"&marker={page[0]['id']}"
            assert len(seen) <= 5
        assert sorted(seen) == sorted(five)


def test_pages_pass_over_values_that_are_absent(net: Net) -> None:
    group = net.make("security-groups", name="g")
    for port in (80, 22):
        net.make(
            "security-group-rules", security_group_id=group["id"], direction="ingress", protocol="tcp",
            port_range_min=port, port_range_max=port,
        )  # fmt: skip
    for key in ("port_range_min", "protocol", "remote_group_id"):
        seen: list[str] = []
        marker = ""
        base = f"security_group_id={group['id']}&limit=1&sort_key={key}"
        while page := net.list("security-group-rules", base + marker):
            seen.append(page[0]["id"])
            marker = f"&marker={page[0]['id']}"
        assert len(seen) == len(set(seen)) == 4


def test_numbers_beyond_all_bounds_match_nothing(net: Net, five: list[str]) -> None:
    assert net.list("networks", "mtu=99999999999999999999") == []
    assert len(net.list("networks", "limit=99999999999999999999")) == 5
