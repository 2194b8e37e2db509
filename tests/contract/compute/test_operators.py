"""What operators see: hypervisors, services, zones, and the steps of actions."""

from tests.contract.client import Client
from tests.contract.compute.conftest import FACTS, Boot, Node


def second_host(cloud: Client, name: str = "other") -> None:
    headers = {**cloud.as_host().headers, "X-Pilvi-Host": name}
    reply = cloud.as_host().post("/report", {"revision": 0, "servers": [], "host": FACTS}, headers=headers)
    assert reply.status == 200, reply.content


def test_a_hypervisor_shows_what_its_host_said(cloud: Client, boot: Boot) -> None:
    boot()
    (found,) = cloud.as_admin().get("/os-hypervisors/detail", microversion="2.28").body["hypervisors"]
    assert (found["hypervisor_hostname"], found["state"], found["status"]) == ("node", "up", "enabled")
    assert (found["vcpus"], found["vcpus_used"], found["running_vms"]) == (16, 1, 1)
    assert (found["memory_mb_used"], found["free_ram_mb"]) == (192, 16384 - 192)
    assert found["cpu_info"] == {"arch": "x86_64"}
    old = cloud.as_admin().get("/os-hypervisors/detail", microversion="2.27").body["hypervisors"][0]
    assert isinstance(old["cpu_info"], str)
    assert isinstance(old["id"], int)


def test_hypervisors_are_named_by_uuid_from_2_53(cloud: Client, boot: Boot) -> None:
    id, admin = boot(), cloud.as_admin()
    (brief,) = admin.get("/os-hypervisors?with_servers=true", microversion="2.53").body["hypervisors"]
    assert [s["uuid"] for s in brief["servers"]] == [id]
    assert admin.get(f"/os-hypervisors/{brief['id']}", microversion="2.53").status == 200
    assert admin.get(f"/os-hypervisors/{brief['id']}", microversion="2.52").status == 404
    assert admin.get("/os-hypervisors/node/search", microversion="2.52").status == 200
    assert admin.get("/os-hypervisors/node/search", microversion="2.53").status == 404
    (old,) = admin.get("/os-hypervisors/node/servers").body["hypervisors"]
    assert old["servers"][0]["uuid"] == id
    assert admin.get("/os-hypervisors?hypervisor_hostname_pattern=x", microversion="2.53").status == 404
    assert admin.get("/os-hypervisors/nothing/search").status == 404


def test_hypervisors_are_paged_from_2_33(cloud: Client, node: Node) -> None:
    second_host(cloud)
    admin = cloud.as_admin()
    page = admin.get("/os-hypervisors?limit=1", microversion="2.33").body
    assert len(page["hypervisors"]) == 1
    following = page["hypervisors_links"][0]["href"].partition("/compute/v2.1")[2]
    rest = admin.get(following, microversion="2.33").body
    assert len(rest["hypervisors"]) == 1
    assert rest["hypervisors"] != page["hypervisors"]
    assert len(admin.get("/os-hypervisors?limit=1", microversion="2.32").body["hypervisors"]) == 2
    assert admin.get("/os-hypervisors?marker=x", microversion="2.33").status == 400


def test_statistics_and_uptime(cloud: Client, node: Node) -> None:
    second_host(cloud)
    admin = cloud.as_admin()
    found = admin.get("/os-hypervisors/statistics").body["hypervisor_statistics"]
    assert (found["count"], found["vcpus"], found["memory_mb"]) == (2, 32, 32768)
    assert admin.get("/os-hypervisors/1/uptime").body["hypervisor"]["uptime"] == "up"


def test_a_disabled_service_takes_no_servers(cloud: Client, boot: Boot) -> None:
    admin = cloud.as_admin()
    (service,) = admin.get("/os-services", microversion="2.53").body["services"]
    assert (service["binary"], service["host"], service["zone"]) == ("nova-compute", "node", "nova")
    body = {"status": "disabled", "disabled_reason": "new disks"}
    changed = admin.put(f"/os-services/{service['id']}", body, microversion="2.53").body["service"]
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "new disks")
    id = boot.ask("x").body["server"]["id"]
    assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ERROR"
    assert "closed for new servers" in cloud.get(f"/servers/{id}").body["server"]["fault"]["message"]
    admin.put(f"/os-services/{service['id']}", {"status": "enabled"}, microversion="2.53")
    assert boot.ask("y").status == 202


def test_the_older_ways_of_disabling_end_with_2_52(cloud: Client, node: Node) -> None:
    admin, who = cloud.as_admin(), {"host": "node", "binary": "nova-compute"}
    assert admin.put("/os-services/disable", who).body["service"]["status"] == "disabled"
    reason = admin.put("/os-services/disable-log-reason", who | {"disabled_reason": "x"}).body["service"]
    assert reason["disabled_reason"] == "x"
    assert admin.put("/os-services/enable", who).body["service"]["status"] == "enabled"
    forced = admin.put("/os-services/force-down", who | {"forced_down": True}, microversion="2.11")
    assert forced.body["service"]["forced_down"] is True
    assert admin.get("/os-services", microversion="2.11").body["services"][0]["state"] == "down"
    assert admin.put("/os-services/disable", who, microversion="2.53").status in (404, 400)
    assert admin.put("/os-services/disable", who | {"host": "none"}).status == 404
    assert cloud.get("/os-services").status == 403


def test_services_are_filtered(cloud: Client, node: Node) -> None:
    second_host(cloud)
    admin = cloud.as_admin()
    assert [s["host"] for s in admin.get("/os-services?host=other").body["services"]] == ["other"]
    assert admin.get("/os-services?binary=nova-scheduler").body["services"] == []


def test_zones_are_public_and_their_hosts_are_not(cloud: Client, node: Node) -> None:
    zones = cloud.get("/os-availability-zone").body["availabilityZoneInfo"]
    assert zones == [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]
    assert cloud.get("/os-availability-zone/detail").status == 403
    (zone,) = cloud.as_admin().get("/os-availability-zone/detail").body["availabilityZoneInfo"]
    assert zone["hosts"]["node"]["nova-compute"]["available"] is True


def actions(cloud: Client, id: str, at: str, request: str = "") -> dict:  # type: ignore[type-arg]
    reply = cloud.get(f"/servers/{id}/os-instance-actions{request}", microversion=at)
    assert reply.status == 200, reply.content
    found: dict = reply.body  # type: ignore[type-arg]
    return found


def test_everyone_sees_events_from_2_51(cloud: Client, boot: Boot) -> None:
    id = boot()
    (action,) = actions(cloud, id, "2.51")["instanceActions"]
    assert (action["action"], action["instance_uuid"], action["message"]) == ("create", id, None)
    path = f"/{action['request_id']}"
    assert "events" not in actions(cloud, id, "2.50", path)["instanceAction"]
    events = actions(cloud, id, "2.51", path)["instanceAction"]["events"]
    assert {e["event"] for e in events} >= {"scheduling", "compute_power_on", "compute_spawning"}
    assert all("traceback" not in e for e in events)
    seen = actions(cloud.as_admin(), id, "2.50", path)["instanceAction"]["events"]
    assert all(e["traceback"] is None and e["result"] == "Success" for e in seen)


def test_events_show_their_host_from_2_62(cloud: Client, boot: Boot) -> None:
    id = boot()
    path = f"/{actions(cloud, id, '2.62')['instanceActions'][0]['request_id']}"
    mine = actions(cloud, id, "2.62", path)["instanceAction"]["events"][0]
    assert len(mine["hostId"]) == 56
    assert "host" not in mine
    theirs = actions(cloud.as_admin(), id, "2.62", path)["instanceAction"]["events"][0]
    assert theirs["host"] == "node"
    assert "hostId" not in actions(cloud, id, "2.61", path)["instanceAction"]["events"][0]


def test_actions_are_paged_from_2_58(cloud: Client, boot: Boot) -> None:
    id = boot()
    for action in ("os-stop", "os-start"):
        assert cloud.post(f"/servers/{id}/action", {action: None}).status == 202
        boot.node.turn()
    page = actions(cloud, id, "2.58", "?limit=2")
    assert [a["action"] for a in page["instanceActions"]] == ["start", "stop"]
    marker = page["instanceActions"][1]["request_id"]
    assert [a["action"] for a in actions(cloud, id, "2.58", f"?marker={marker}")["instanceActions"]] == ["create"]
    assert actions(cloud, id, "2.58", "?changes-since=2999-01-01T00:00:00Z")["instanceActions"] == []
    for bad in ("marker=x", "changes-since=x", "limit=-1"):
        reply = cloud.get(f"/servers/{id}/os-instance-actions?{bad}", microversion="2.58")
        assert reply.status == 400, bad
    assert cloud.as_stranger().get(f"/servers/{id}/os-instance-actions").status == 404
    assert cloud.get(f"/servers/{id}/os-instance-actions/req-none").status == 404
