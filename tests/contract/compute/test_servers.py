"""Servers over the API, with a host played by the test."""

import base64
import json

import pytest

from pilvi.kernel import work
from tests.contract.client import Client
from tests.contract.compute.conftest import Boot, Node


def show(cloud: Client, id: str, at: str = "2.62") -> dict:  # type: ignore[type-arg]
    reply = cloud.get(f"/servers/{id}", microversion=at)
    assert reply.status == 200, reply.content
    found: dict = reply.body["server"]  # type: ignore[type-arg]
    return found


def act(cloud: Client, id: str, action: str, body: object = None, status: int = 202) -> None:
    reply = cloud.post(f"/servers/{id}/action", {action: body})
    assert reply.status == status, reply.content


def test_a_server_is_built_by_its_host_and_becomes_active(cloud: Client, boot: Boot, node: Node) -> None:
    reply = boot.ask("one", metadata={"a": "b"})
    assert reply.status == 202
    server = reply.body["server"]
    assert reply.headers["location"].endswith(f"/compute/v2.1/servers/{server['id']}")
    assert len(server["adminPass"]) == 12
    before = show(cloud, server["id"])
    assert (before["status"], before["OS-EXT-STS:task_state"]) == ("BUILD", "spawning")
    node.turn()
    after = show(cloud, server["id"])
    assert (after["status"], after["OS-EXT-STS:task_state"], after["OS-EXT-STS:power_state"]) == ("ACTIVE", None, 1)
    assert after["addresses"]["net"][0]["addr"].startswith("10.0.0.")
    assert after["metadata"] == {"a": "b"}
    assert "OS-EXT-SRV-ATTR:host" not in after
    assert show(cloud.as_admin(), server["id"])["OS-EXT-SRV-ATTR:host"] == "node"


def test_reporting_twice_changes_nothing(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    first = show(cloud, id)
    node.turn()
    assert show(cloud, id) == first


def test_a_late_report_of_an_older_wish_is_not_believed(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    act(cloud, id, "os-stop")
    node.report(servers=[{"id": id, "generation": 1, "power": "on", "reboot_generation": 0}])
    assert show(cloud, id)["OS-EXT-STS:task_state"] == "powering-off"
    node.turn()
    assert show(cloud, id)["status"] == "SHUTOFF"


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        (["os-stop"], "SHUTOFF"), (["os-stop", "os-start"], "ACTIVE"), (["pause"], "PAUSED"),
        (["pause", "unpause"], "ACTIVE"),
    ],
)  # fmt: skip
def test_power_actions_end_where_they_say(
    cloud: Client, boot: Boot, node: Node, actions: list[str], status: str
) -> None:
    id = boot()
    for action in actions:
        act(cloud, id, action)
        node.turn()
    assert show(cloud, id)["status"] == status


def test_a_reboot_shows_its_kind_while_it_lasts(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    act(cloud, id, "reboot", {"type": "SOFT"})
    assert show(cloud, id)["status"] == "REBOOT"
    node.turn()
    act(cloud, id, "reboot", {"type": "HARD"})
    assert show(cloud, id)["status"] == "HARD_REBOOT"
    node.turn()
    assert show(cloud, id)["status"] == "ACTIVE"


@pytest.mark.parametrize(("action", "body"), [("os-start", None), ("unpause", None)])
def test_an_action_from_the_wrong_state_is_a_conflict(cloud: Client, boot: Boot, action: str, body: object) -> None:
    id = boot()
    reply = cloud.post(f"/servers/{id}/action", {action: body})
    assert reply.status == 409
    assert f"instance {id} while it is in vm_state active" in reply.body["conflictingRequest"]["message"]


def test_a_guest_that_shuts_itself_down_stays_off(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    node.report(servers=[{"id": id, "generation": 1, "power": "off", "reboot_generation": 0}])
    assert show(cloud, id)["status"] == "SHUTOFF"
    assert node.turn()["servers"][0]["power"] == "off"


def test_a_locked_server_is_left_alone_but_by_administrators(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    act(cloud, id, "lock")
    act(cloud, id, "os-stop", status=409)
    act(cloud.as_admin(), id, "os-stop")
    node.turn()
    act(cloud, id, "unlock")
    act(cloud, id, "os-start")


def test_a_deleted_server_goes_when_its_host_says_that_nothing_is_left(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    assert cloud.delete(f"/servers/{id}").status == 204
    assert show(cloud, id)["OS-EXT-STS:task_state"] == "deleting"
    node.turn()
    assert cloud.get(f"/servers/{id}").status == 404
    assert cloud.at("/network/v2.0").get("/ports?device_owner=compute:nova").body["ports"] == []
    actions = cloud.get(f"/servers/{id}/os-instance-actions", microversion="2.21").body["instanceActions"]
    assert [a["action"] for a in actions] == ["delete", "create"]
    assert cloud.get(f"/servers/{id}/os-instance-actions", microversion="2.20").status == 404


def test_deleting_twice_is_as_good_as_once(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    assert [cloud.delete(f"/servers/{id}").status for _ in range(2)] == [204, 204]
    node.turn()
    assert cloud.delete(f"/servers/{id}").status == 404


def test_a_fault_names_the_reason_without_naming_hosts(cloud: Client, boot: Boot) -> None:
    project = cloud.facts["demo"]
    raised = cloud.as_admin().put(f"/os-quota-sets/{project}", {"quota_set": {"cores": -1}})
    assert raised.status == 200, raised.content
    body = {"flavor": {"name": "huge", "id": "9", "ram": 64, "vcpus": 4000, "disk": 1}}
    assert cloud.as_admin().post("/flavors", body).status == 200
    id = boot.ask("big", flavorRef="9").body["server"]["id"]
    found = show(cloud, id)
    assert found["status"] == "ERROR"
    assert "4000 vCPUs" in found["fault"]["message"]
    assert "node" not in json.dumps(found["fault"]["message"])
    assert cloud.delete(f"/servers/{id}").status == 204
    assert cloud.get(f"/servers/{id}").status == 404


def test_what_the_hypervisor_says_is_the_fault_and_delete_works(cloud: Client, boot: Boot, node: Node) -> None:
    node.faults["bad"] = "The disk of this host is full."
    id = boot("bad")
    found = show(cloud, id)
    assert (found["status"], found["fault"]["message"]) == ("ERROR", "The disk of this host is full.")
    assert cloud.delete(f"/servers/{id}").status == 204
    node.turn()
    assert cloud.get(f"/servers/{id}").status == 404


def test_the_quota_is_refused_with_the_numbers(cloud: Client, boot: Boot) -> None:
    project = cloud.facts["demo"]
    assert cloud.as_admin().put(f"/os-quota-sets/{project}", {"quota_set": {"instances": 1}}).status == 200
    assert boot.ask("one").status == 202
    reply = boot.ask("two")
    assert reply.status == 403
    message = reply.body["forbidden"]["message"]
    assert "Quota exceeded for instances: Requested 1, but already used 1 of 1" in message
    assert len(cloud.get("/servers").body["servers"]) == 1


def test_several_servers_get_numbered_names_and_share_a_reservation(cloud: Client, boot: Boot) -> None:
    reply = boot.ask("many", min_count=3, max_count=3, return_reservation_id=True)
    assert reply.status == 202
    assert reply.body["reservation_id"].startswith("r-")
    names = {s["name"] for s in cloud.get("/servers").body["servers"]}
    assert names == {"many-1", "many-2", "many-3"}


def test_the_host_is_told_what_the_guest_will_read(cloud: Client, boot: Boot, node: Node) -> None:
    text = base64.b64encode(b"#!/bin/sh\n").decode()
    boot("one", user_data=text, config_drive=True)
    wanted = node.last["servers"][0]
    files = wanted["metadata"]["files"]
    document = json.loads(base64.b64decode(files["openstack/latest/meta_data.json"]))
    assert (document["name"], document["hostname"]) == ("one", "one")
    assert base64.b64decode(files["openstack/latest/user_data"]) == b"#!/bin/sh\n"
    assert wanted["config_drive"] is True
    network = json.loads(base64.b64decode(files["openstack/latest/network_data.json"]))
    assert network["links"][0]["ethernet_mac_address"] == wanted["nics"][0]["mac"]


def test_another_projects_server_does_not_exist(cloud: Client, boot: Boot) -> None:
    id = boot()
    stranger = cloud.as_stranger()
    assert stranger.get(f"/servers/{id}").status == 404
    assert stranger.delete(f"/servers/{id}").status == 404
    assert stranger.post(f"/servers/{id}/action", {"os-stop": None}).status == 404
    assert stranger.get("/servers").body["servers"] == []
    assert cloud.as_reader().delete(f"/servers/{id}").status == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"flavorRef": "nothing"}, 400), ({"imageRef": "00000000-0000-4000-8000-000000000000"}, 400),
        ({"networks": [{"uuid": "00000000-0000-4000-8000-000000000000"}]}, 400), ({"key_name": "nothing"}, 400),
        ({"user_data": "%%%"}, 400), ({"unknown": 1}, 400), ({"min_count": 3, "max_count": 2}, 400),
        ({"availability_zone": "moon"}, 400), ({"availability_zone": "nova:node"}, 403), ({"metadata": {"a": 1}}, 400),
        ({"security_groups": [{"name": "nothing"}]}, 400), ({"networks": "perhaps"}, 400), ({"tags": ["x"]}, 400),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_loses_nothing(cloud: Client, boot: Boot, change: dict, status: int) -> None:  # type: ignore[type-arg]
    reply = boot.ask("bad", **change)
    assert reply.status == status, reply.content
    assert cloud.get("/servers").body["servers"] == []
    assert cloud.database.read(lambda tx: work.pending(tx, "server")) == []


def test_a_server_needs_a_name(cloud: Client, boot: Boot) -> None:
    for name in ("", " ", "x" * 256):
        assert boot.ask(name).status == 400


def test_lists_page_sort_and_filter(cloud: Client, boot: Boot) -> None:
    for name in ("b", "a", "c"):
        assert boot.ask(name).status == 202
    first = cloud.get("/servers?sort_key=display_name&sort_dir=asc&limit=2").body
    assert [s["name"] for s in first["servers"]] == ["a", "b"]
    following = first["servers_links"][0]["href"].partition("/compute/v2.1")[2]
    assert [s["name"] for s in cloud.get(following).body["servers"]] == ["c"]
    assert [s["name"] for s in cloud.get("/servers?name=b").body["servers"]] == ["b"]
    assert [s["name"] for s in cloud.get("/servers?name=%5Eb%7Cc$").body["servers"]] == ["c", "b"]
    assert cloud.get("/servers?status=ACTIVE").body["servers"] == []
    assert len(cloud.get("/servers?status=build").body["servers"]) == 3
    assert cloud.get("/servers?status=nonsense", microversion="2.38").status == 400
    assert cloud.get("/servers?status=nonsense").body["servers"] == []
    assert cloud.get("/servers?marker=nothing").status == 400
    assert cloud.get("/servers?all_tenants=1").status == 403
    assert len(cloud.as_admin().get("/servers?all_tenants=1").body["servers"]) == 3


def test_a_console_token_opens_one_screen_once(cloud: Client, boot: Boot) -> None:
    from pilvi.compute import facade
    from pilvi.kernel.errors import Unauthorized

    id = boot()
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    reply = cloud.post(f"/servers/{id}/remote-consoles", body, microversion="2.6")
    assert reply.status == 200, reply.content
    token = reply.body["remote_console"]["url"].rpartition("token=")[2].rpartition("%3D")[2]
    assert cloud.database.write(lambda tx: facade.redeem_console(tx, token)).server_id == id
    with pytest.raises(Unauthorized):
        cloud.database.write(lambda tx: facade.redeem_console(tx, token))


def test_ip6_is_a_filter_for_everyone_from_2_5(cloud: Client, boot: Boot) -> None:
    boot()
    assert len(cloud.get("/servers?ip=10.0.0.").body["servers"]) == 1
    assert cloud.get("/servers?ip6=fd00", microversion="2.5").body["servers"] == []
    assert len(cloud.get("/servers?ip6=fd00", microversion="2.4").body["servers"]) == 1


def test_the_project_may_stand_in_the_path(cloud: Client, boot: Boot) -> None:
    id, demo = boot(), cloud.facts["demo"]
    for at in ("2.1", "2.18"):
        assert cloud.get(f"/{demo}/servers/{id}", microversion=at).body["server"]["id"] == id
        assert cloud.get(f"/servers/{id}", microversion=at).body["server"]["id"] == id


def test_networks_must_be_named_from_2_37(cloud: Client, boot: Boot) -> None:
    server = {"name": "x", "imageRef": boot.image_id, "flavorRef": boot.flavor_id}
    assert cloud.post("/servers", {"server": server}, microversion="2.37").status == 400
    assert cloud.post("/servers", {"server": server}, microversion="2.36").status == 202
    assert boot.ask("none", networks="none").status == 202
    assert boot.ask("none", networks="none", at="2.36").status == 400
    boot.node.turn()
    found = cloud.get("/servers/detail?name=none").body["servers"][0]
    assert (found["addresses"], found["status"]) == ({}, "ACTIVE")
    assert "security_groups" not in found


def test_a_server_shows_its_flavor_whole_from_2_47(cloud: Client, boot: Boot) -> None:
    id = boot()
    assert show(cloud, id, "2.46")["flavor"]["id"] == "1"
    assert show(cloud, id, "2.47")["flavor"] == {
        "original_name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1, "ephemeral": 0, "swap": 0, "extra_specs": {},
    }  # fmt: skip


def test_filters_by_flavor_and_tags_are_letter_by_letter(cloud: Client, boot: Boot) -> None:
    boot("a", at="2.52", tags=["Red", "big"])
    boot("b", at="2.52", tags=["red"])

    def names(query: str) -> list[str]:
        return sorted(s["name"] for s in cloud.get(f"/servers?{query}", microversion="2.26").body["servers"])

    assert names("flavor=1") == ["a", "b"]
    assert names("flavor=%25") == names("flavor=2") == []
    assert (names("tags=Red"), names("tags=Red,big"), names("tags=red,big")) == (["a"], ["a"], [])
    assert (names("tags-any=red,big"), names("not-tags=Red,big")) == (["a", "b"], ["b"])
    assert names("not-tags-any=red") == ["a"]


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": " "}, {"name": "x" * 256}, {"accessIPv4": "x"}, {"unknown": 1}, {"status": "ERROR"}],
)
def test_a_bad_update_changes_nothing(cloud: Client, boot: Boot, change: dict) -> None:  # type: ignore[type-arg]
    id = boot()
    assert cloud.put(f"/servers/{id}", {"server": change}).status == 400
    assert show(cloud, id)["name"] == "one"


def test_an_update_changes_what_it_names(cloud: Client, boot: Boot) -> None:
    id = boot()
    body = {"server": {"name": "two", "accessIPv6": "0:0:0:0:0:babe:220.12.22.2", "description": "d"}}
    updated = cloud.put(f"/servers/{id}", body, microversion="2.19").body["server"]
    assert (updated["name"], updated["accessIPv6"], updated["description"]) == ("two", "::babe:dc0c:1602", "d")
    assert show(cloud, id)["OS-EXT-STS:vm_state"] == "active"
    assert cloud.put(f"/servers/{id}", {"server": {}}).body["server"]["name"] == "two"


def test_an_operator_may_say_what_state_a_server_is_in(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    act(cloud, id, "os-resetState", {"state": "error"}, status=403)
    act(cloud.as_admin(), id, "os-resetState", {"state": "error"})
    node.turn()
    assert show(cloud, id)["status"] == "ERROR"
    act(cloud.as_admin(), id, "os-resetState", {"state": "active"})
    assert show(cloud, id)["status"] == "ACTIVE"
    act(cloud.as_admin(), id, "os-resetState", {"state": "gone"}, status=400)
    act(cloud, id, "os-stop", None)
    node.turn()
    act(cloud.as_admin(), id, "os-resetState", {"state": "active"})
    assert show(cloud, id)["status"] == "SHUTOFF"  # Out of error is all that it means: nobody has started it.


def test_more_servers_at_once_than_one_transaction_should_make_are_refused(cloud: Client, boot: Boot) -> None:
    assert boot.ask("many", max_count=2_000_000_000).status == 400
