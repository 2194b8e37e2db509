"""Metadata, tags, addresses and consoles of a server."""

import pytest

from tests.contract.client import Client
from tests.contract.compute.conftest import Boot


def test_metadata_is_added_replaced_and_deleted(cloud: Client, boot: Boot) -> None:
    path = f"/servers/{boot()}/metadata"
    assert cloud.post(path, {"metadata": {"a": "1", "b": "2"}}).body == {"metadata": {"a": "1", "b": "2"}}
    assert cloud.post(path, {"metadata": {"b": "3"}}).body == {"metadata": {"a": "1", "b": "3"}}
    assert cloud.put(f"{path}/c", {"meta": {"c": "4"}}).body == {"meta": {"c": "4"}}
    assert cloud.get(f"{path}/c").body == {"meta": {"c": "4"}}
    assert cloud.put(path, {"metadata": {"d": ""}}).body == {"metadata": {"d": ""}}
    assert [cloud.delete(f"{path}/d").status for _ in range(2)] == [204, 404]
    assert cloud.get(path).body == {"metadata": {}}
    assert cloud.get(f"{path}/d").status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/a", {"meta": {"b": "1"}}, 400), ("PUT", "/a", {"meta": {"a": "1", "b": "2"}}, 400),
        ("PUT", "/a", {"meta": {"a": 1}}, 400), ("POST", "", {"metadata": {"": "x"}}, 400),
        ("POST", "", {"metadata": {"x" * 256: "x"}}, 400), ("POST", "", {"metadata": {"a": "x" * 256}}, 400),
        ("POST", "", {"metadata": None}, 400), ("POST", "", {}, 400),
        ("POST", "", {"metadata": {str(n): "" for n in range(129)}}, 403),
    ],
)  # fmt: skip
def test_bad_metadata_is_refused(cloud: Client, boot: Boot, method: str, path: str, body: object, status: int) -> None:
    id = boot()
    assert cloud.request(method, f"/servers/{id}/metadata{path}", body).status == status
    assert cloud.get(f"/servers/{id}/metadata").body == {"metadata": {}}


def test_what_users_hang_on_a_server_reaches_its_guest(cloud: Client, boot: Boot) -> None:
    id = boot()
    before = boot.node.last["revision"]
    cloud.post(f"/servers/{id}/metadata", {"metadata": {"a": "1"}})
    assert boot.node.turn()["revision"] > before


def test_a_locked_server_keeps_its_metadata(cloud: Client, boot: Boot) -> None:
    id = boot()
    assert cloud.post(f"/servers/{id}/action", {"lock": None}).status == 202
    assert cloud.post(f"/servers/{id}/metadata", {"metadata": {"a": "1"}}).status == 409
    assert cloud.as_reader().post(f"/servers/{id}/metadata", {"metadata": {"a": "1"}}).status == 403
    assert cloud.as_stranger().get(f"/servers/{id}/metadata").status == 404


def test_tags_are_put_asked_for_and_taken_away(cloud: Client, boot: Boot) -> None:
    path = f"/servers/{boot()}/tags"

    def ask(method: str, more: str = "", body: object = None) -> int:
        return cloud.request(method, path + more, body, microversion="2.26").status

    assert [ask("PUT", "/red"), ask("PUT", "/red"), ask("GET", "/red"), ask("GET", "/blue")] == [201, 204, 204, 404]
    assert ask("PUT", "", {"tags": ["x", "y"]}) == 200
    assert cloud.get(path, microversion="2.26").body == {"tags": ["x", "y"]}
    assert [ask("DELETE", "/x"), ask("DELETE", "/x"), ask("DELETE")] == [204, 404, 204]
    assert cloud.get(path, microversion="2.26").body == {"tags": []}
    assert cloud.get(path, microversion="2.25").status == 404
    assert ask("PUT", "/" + "x" * 61) == 400
    assert ask("PUT", "/a,b") == 400
    for bad in ([1], ["a,b"], ["a", "a"], ["x" * 61], [str(n) for n in range(51)]):
        assert ask("PUT", "", {"tags": bad}) == 400, bad


def test_addresses_are_told_by_network(cloud: Client, boot: Boot) -> None:
    id = boot()
    found = cloud.get(f"/servers/{id}/ips").body["addresses"]
    (address,) = found["net"]
    assert set(address) == {"version", "addr"}
    assert cloud.get(f"/servers/{id}/ips/net").body == {"net": [address]}
    assert cloud.get(f"/servers/{id}/ips/none").status == 404
    groups = cloud.get(f"/servers/{id}/os-security-groups").body["security_groups"]
    assert [g["name"] for g in groups] == ["default"]


def test_a_console_needs_a_running_server_and_a_known_kind(cloud: Client, boot: Boot) -> None:
    path = f"/servers/{boot()}/remote-consoles"

    def ask(protocol: str, kind: str, at: str = "2.8") -> int:
        body = {"remote_console": {"protocol": protocol, "type": kind}}
        return cloud.post(path, body, microversion=at).status

    assert ask("vnc", "novnc") == 200
    assert (ask("spice", "spice-html5"), ask("vnc", "nothing"), ask("x", "novnc")) == (400, 400, 400)
    assert ask("vnc", "novnc", "2.5") == 404
    server = path.removesuffix("/remote-consoles")
    cloud.post(f"{server}/action", {"os-stop": None})
    boot.node.turn()
    assert ask("vnc", "novnc") == 409


def test_the_older_console_action_ends_with_2_5(cloud: Client, boot: Boot) -> None:
    path, body = f"/servers/{boot()}/action", {"os-getVNCConsole": {"type": "novnc"}}
    reply = cloud.post(path, body)
    assert reply.status == 200
    assert reply.body["console"]["type"] == "novnc"
    assert "token%3D" in reply.body["console"]["url"] or "token=" in reply.body["console"]["url"]
    assert cloud.post(path, body, microversion="2.6").status in (400, 404)


def test_an_administrator_may_ask_whose_a_console_token_is(cloud: Client, boot: Boot) -> None:
    id = boot()
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    url = cloud.post(f"/servers/{id}/remote-consoles", body, microversion="2.31").body["remote_console"]["url"]
    token = url[-64:]
    shown = cloud.as_admin().get(f"/os-console-auth-tokens/{token}", microversion="2.31").body["console"]
    assert (shown["instance_uuid"], shown["host"]) == (id, "node")
    assert cloud.get(f"/os-console-auth-tokens/{token}", microversion="2.31").status == 403
    assert cloud.as_admin().get("/os-console-auth-tokens/none", microversion="2.31").status == 404


def test_network_cards_are_listed_and_shown(cloud: Client, boot: Boot) -> None:
    path = f"/servers/{boot()}/os-interface"
    (card,) = cloud.get(path).body["interfaceAttachments"]
    assert (card["net_id"], card["port_state"]) == (boot.network_id, "ACTIVE")
    assert card["fixed_ips"][0]["ip_address"].startswith("10.0.0.")
    assert cloud.get(f"{path}/{card['port_id']}").body == {"interfaceAttachment": card}
    assert cloud.get(f"{path}/none").status == 404
    assert cloud.as_stranger().get(path).status == 404


def test_a_deletion_is_at_once_and_cannot_be_taken_back(cloud: Client, boot: Boot) -> None:
    path = f"/servers/{boot()}"
    reply = cloud.post(f"{path}/action", {"restore": None})
    assert reply.status == 409
    assert "vm_state active" in reply.body["conflictingRequest"]["message"]
    assert cloud.as_reader().post(f"{path}/action", {"forceDelete": None}).status == 403
    assert cloud.post(f"{path}/action", {"forceDelete": None}).status == 202
    boot.node.turn()
    assert cloud.get(path).status == 404
    assert cloud.post(f"{path}/action", {"forceDelete": None}).status == 404
