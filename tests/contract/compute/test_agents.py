"""The agents' side: what a host is told, what its reports may and may not do."""

from typing import Any

import pytest

from pilvi.kernel.db import Tx
from tests.contract.client import Client
from tests.contract.compute.conftest import FACTS, Boot, Node


def test_a_host_that_knows_the_state_is_not_told_again(cloud: Client, boot: Boot, node: Node) -> None:
    boot()
    document = node.turn()
    assert document["complete"] is True
    assert cloud.as_host().get(f"/state?revision={document['revision']}").status == 304
    boot.ask("two")
    assert cloud.as_host().get(f"/state?revision={document['revision']}").status == 200


def test_an_unknown_host_is_told_nothing_to_act_on(cloud: Client) -> None:
    reply = cloud.as_host().get("/state")
    assert reply.status == 200
    assert reply.body == {"revision": 0, "complete": False, "servers": [], "network": {}}
    assert cloud.as_host().post("/report", {"revision": 0, "servers": []}).status == 400


@pytest.mark.parametrize("headers", [{}, {"X-Pilvi-Host": "node"}, {"X-Pilvi-Host": "node", "X-Pilvi-Front": "x"}])
def test_who_is_not_let_in_by_the_front_is_no_host(cloud: Client, node: Node, headers: dict[str, str]) -> None:
    from dataclasses import replace

    anyone = replace(cloud.as_host(), headers=headers)
    assert anyone.get("/state").status in (401, 403)
    assert anyone.post("/report", {"servers": []}).status in (401, 403)
    token = replace(cloud.as_admin().at("/agent/v1"), headers={})
    assert token.get("/state").status in (401, 403)


def test_a_host_speaks_for_its_own_guests_only(cloud: Client, boot: Boot) -> None:
    id = boot()
    headers = {**cloud.as_host().headers, "X-Pilvi-Host": "other"}
    entry = {"id": id, "generation": 1, "power": "off", "reboot_generation": 0}
    reply = cloud.as_host().post("/report", {"host": FACTS, "servers": [entry]}, headers=headers)
    assert reply.status == 200
    assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ACTIVE"
    assert cloud.as_host().get("/state", headers=headers).body["servers"] == []


ENTRY: dict[str, Any] = {"id": "x", "generation": 1, "power": "on"}


@pytest.mark.parametrize(
    "document",
    [
        [], "x", {"servers": {}}, {"servers": [1]}, {"servers": [{}]}, {"servers": [ENTRY | {"power": "sideways"}]},
        {"servers": [ENTRY | {"generation": "x"}]}, {"servers": [ENTRY | {"steps": 5}]},
        {"servers": [ENTRY | {"steps": [{}]}]}, {"servers": [ENTRY | {"steps": [{"step": "a", "at": "noon"}]}]},
        {"servers": [ENTRY | {"error": {}}]}, {"servers": [ENTRY | {"error": "no"}]}, {"network": [1]},
        {"revision": "x"}, {"host": 5}, {"host": {"vcpus": "many"}}, {"host": {"traits": 5}},
    ],
)  # fmt: skip
def test_a_malformed_report_is_refused_whole(cloud: Client, node: Node, document: Any) -> None:
    reply = cloud.as_host().post("/report", document)
    assert reply.status == 400, reply.content
    assert reply.body["badRequest"]["message"]


def test_one_malformed_entry_spoils_the_whole_report(cloud: Client, boot: Boot) -> None:
    id = boot()
    fell = {"id": id, "generation": 1, "power": "off", "reboot_generation": 0}
    assert cloud.as_host().post("/report", {"servers": [fell, {}]}).status == 400
    assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ACTIVE"


def test_repeated_reports_leave_one_event_per_step(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    before = cloud.get(f"/servers/{id}/os-instance-actions", microversion="2.51").body["instanceActions"]
    for _ in range(3):
        node.turn()
    assert cloud.get(f"/servers/{id}/os-instance-actions", microversion="2.51").body["instanceActions"] == before
    path = f"/servers/{id}/os-instance-actions/{before[0]['request_id']}"
    events = [e["event"] for e in cloud.get(path, microversion="2.51").body["instanceAction"]["events"]]
    assert len(events) == len(set(events))


def test_a_report_that_leaves_a_server_out_proves_nothing(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    cloud.delete(f"/servers/{id}")
    node.report(servers=[])
    assert cloud.get(f"/servers/{id}").status == 200
    node.report(servers=[{"id": id, "generation": 1, "power": "absent", "reboot_generation": 0}])
    assert cloud.get(f"/servers/{id}").status == 200
    node.turn()
    assert cloud.get(f"/servers/{id}").status == 404


def test_a_report_of_an_unknown_server_is_passed_over(cloud: Client, node: Node) -> None:
    node.report(servers=[{"id": "00000000-0000-4000-8000-000000000000", "generation": 1, "power": "on"}])


def test_a_delete_that_the_host_gave_up_can_be_asked_for_again(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    cloud.delete(f"/servers/{id}")
    said = {"id": id, "generation": 2, "power": "off", "reboot_generation": 0}
    node.report(servers=[said | {"error": {"message": "The disk is held.", "detail": "", "retry": False}}])
    assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ERROR"
    assert cloud.delete(f"/servers/{id}").status == 204
    assert node.turn()["servers"][0]["generation"] == 3
    assert cloud.get(f"/servers/{id}").status == 404


def test_a_guest_that_ends_right_after_its_reboot_is_off_and_not_stuck(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    cloud.post(f"/servers/{id}/action", {"reboot": {"type": "HARD"}})
    node.report(servers=[{"id": id, "generation": 2, "power": "off", "reboot_generation": 1}])
    shown = cloud.get(f"/servers/{id}").body["server"]
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("SHUTOFF", None)


def test_a_server_without_ports_raises_the_revision_when_it_goes(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot(networks="none", at="2.37")
    cloud.delete(f"/servers/{id}")
    document = node.turn()
    assert [one["id"] for one in document["servers"]] == [id]
    assert cloud.as_host().get(f"/state?revision={document['revision']}").body["servers"] == []


def test_an_operator_who_says_error_is_named_as_the_cause(cloud: Client, boot: Boot) -> None:
    id = boot()
    cloud.as_admin().post(f"/servers/{id}/action", {"os-resetState": {"state": "error"}})
    assert "operator" in cloud.get(f"/servers/{id}").body["server"]["fault"]["message"]


def test_an_operator_cannot_call_active_what_is_on_no_host(cloud: Client, boot: Boot) -> None:
    flavor = {"name": "huge", "id": "9", "ram": 192, "vcpus": 1, "disk": 100_000}
    assert cloud.as_admin().post("/flavors", {"flavor": flavor}).status == 200
    id = boot.ask("huge", flavorRef="9").body["server"]["id"]
    reset = cloud.as_admin().post(f"/servers/{id}/action", {"os-resetState": {"state": "active"}})
    assert reset.status == 409, reset.content
    assert "on no host" in reset.body["conflictingRequest"]["message"]


def test_a_new_name_of_a_security_group_is_news_for_the_hosts_of_its_guests(
    cloud: Client, boot: Boot, node: Node
) -> None:
    group = cloud.at("/network/v2.0").post("/security-groups", {"security_group": {"name": "web"}}).body
    boot(security_groups=[{"name": "web"}])
    before = node.turn()["revision"]
    path = f"/security-groups/{group['security_group']['id']}"
    assert cloud.at("/network/v2.0").put(path, {"security_group": {"description": "d"}}).status == 200
    assert node.turn()["revision"] == before
    assert cloud.at("/network/v2.0").put(path, {"security_group": {"name": "www"}}).status == 200
    assert node.turn()["revision"] > before


def test_a_floating_ip_is_news_for_the_host_of_its_guest(
    cloud: Client, boot: Boot, node: Node, network_id: str
) -> None:
    """The guest's metadata names it, and the router may be on another host."""
    id = boot()
    before = node.turn()["revision"]
    admin = cloud.as_admin().at("/network/v2.0")
    outside = {"name": "out", "router:external": True}
    outer = admin.post("/networks", {"network": outside}).body["network"]["id"]
    plain = {"network_id": outer, "cidr": "203.0.113.0/24", "ip_version": 4}
    assert admin.post("/subnets", {"subnet": plain}).status == 201
    network = cloud.at("/network/v2.0")
    router = network.post("/routers", {"router": {"external_gateway_info": {"network_id": outer}}}).body["router"]["id"]
    inner = network.get(f"/subnets?network_id={network_id}").body["subnets"][0]["id"]
    network.put(f"/routers/{router}/add_router_interface", {"subnet_id": inner})
    cloud.database.write(lambda tx: routers_elsewhere(tx, router))
    before = node.turn()["revision"]
    port = network.get(f"/ports?device_id={id}").body["ports"][0]["id"]
    made = network.post("/floatingips", {"floatingip": {"floating_network_id": outer, "port_id": port}})
    assert made.status == 201, made.content
    taken = node.turn()["revision"]
    assert taken > before
    network.put(f"/floatingips/{made.body['floatingip']['id']}", {"floatingip": {"port_id": None}})
    assert node.turn()["revision"] > taken


def routers_elsewhere(tx: Tx, router_id: str) -> None:
    """As if another host ran the router."""
    tx._connection.run(f"update network_routers set host = 'elsewhere' where id = '{router_id}'", {})
