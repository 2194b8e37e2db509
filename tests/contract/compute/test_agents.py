"""The agents' side: what a host is told, what its reports may and may not do."""

from typing import Any

import pytest

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
