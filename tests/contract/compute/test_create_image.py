"""Images of servers: asked for by users, made by hosts, sent to the image service."""

from typing import Any

import pytest

from pilvi.compute.servers import service as servers
from pilvi.compute.servers.reconcile import reconcile
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import internal
from pilvi.kernel.db import Tx
from tests.contract.client import Client
from tests.contract.compute.conftest import Boot, Node


def ask(cloud: Client, id: str, at: str = "2.45", **more: Any) -> Any:
    return cloud.post(f"/servers/{id}/action", {"createImage": {"name": "copy", **more}}, microversion=at)


def shown(cloud: Client, image_id: str) -> Any:
    return cloud.at("/image/v2").get(f"/images/{image_id}")


def task(cloud: Client, id: str) -> Any:
    return cloud.get(f"/servers/{id}").body["server"]["OS-EXT-STS:task_state"]


def send(cloud: Client, image_id: str, host: str = "node") -> None:
    """What `live` does with bytes that a host sends."""
    ctx = internal("req-send")

    def begin(tx: Tx) -> Any:
        assert servers.image_begins(tx, host, image_id) is not None
        return image_data.begin_for_host(ctx, tx, image_id, "default", "test")

    assert cloud.database is not None
    transfer = cloud.database.write(begin)

    def finish(tx: Tx) -> None:
        received = Received(1000, 1 << 30, "0" * 32, "0" * 128)
        image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,))
        servers.image_arrived(tx, image_id)

    cloud.database.write(finish)


def test_an_image_is_queued_made_and_active(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    reply = ask(cloud, id, metadata={"purpose": "backup"})
    assert reply.status == 202
    image_id = reply.body["image_id"]
    found = shown(cloud, image_id).body
    assert (found["status"], found["visibility"], found["name"]) == ("queued", "private", "copy")
    assert (found["image_type"], found["instance_uuid"], found["base_image_ref"]) == ("snapshot", id, boot.image_id)
    assert (found["purpose"], found["disk_format"], found["container_format"]) == ("backup", "qcow2", "bare")
    assert task(cloud, id) == "image_snapshot"
    document = node.turn()
    assert [s["snapshot"] for s in document["servers"]] == [image_id]
    assert task(cloud, id) == "image_snapshot", "a report of what is here already does not end it"
    send(cloud, image_id)
    assert shown(cloud, image_id).body["status"] == "active"
    assert task(cloud, id) is None
    assert node.turn()["servers"][0]["snapshot"] is None
    actions = cloud.get(f"/servers/{id}/os-instance-actions").body["instanceActions"]
    assert actions[0]["action"] == "createImage"
    assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ACTIVE"


def test_before_2_45_the_image_is_named_in_the_location(cloud: Client, boot: Boot) -> None:
    reply = ask(cloud, boot(), at="2.44")
    assert (reply.status, reply.content) == (202, b"")
    image_id = reply.headers["location"].rpartition("/")[2]
    assert reply.headers["location"].endswith(f"/image/v2/images/{image_id}")
    assert shown(cloud, image_id).status == 200


def test_one_image_at_a_time_and_no_other_task_meanwhile(cloud: Client, boot: Boot) -> None:
    id = boot()
    assert ask(cloud, id).status == 202
    reply = ask(cloud, id)
    assert reply.status == 409
    assert "task_state image_snapshot" in reply.body["conflictingRequest"]["message"]
    assert cloud.post(f"/servers/{id}/action", {"os-stop": None}).status == 409


def test_a_stopped_server_and_a_locked_one_have_images(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    cloud.post(f"/servers/{id}/action", {"os-stop": None})
    node.turn()
    cloud.as_admin().post(f"/servers/{id}/action", {"lock": None})
    assert ask(cloud, id).status == 202


def test_a_server_in_error_has_none(cloud: Client, boot: Boot) -> None:
    id = boot()
    cloud.as_admin().post(f"/servers/{id}/action", {"os-resetState": {"state": "error"}})
    reply = ask(cloud, id)
    assert reply.status == 409
    assert "vm_state error" in reply.body["conflictingRequest"]["message"]


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": " "}, {"name": "x" * 256}, {"metadata": {"a": 1}}, {"metadata": {"": "x"}},
     {"metadata": {"visibility": "public"}}, {"other": 1}],
)  # fmt: skip
def test_a_malformed_request_makes_nothing(cloud: Client, boot: Boot, body: Any) -> None:
    id = boot()
    assert ask(cloud, id, **body).status == 400
    assert task(cloud, id) is None


def test_names_that_the_image_service_keeps_for_itself_are_refused(cloud: Client, boot: Boot) -> None:
    assert ask(cloud, boot(), metadata={"os_glance_x": "1"}).status == 403


def test_the_quota_of_metadata_holds(cloud: Client, boot: Boot) -> None:
    reply = ask(cloud, boot(), metadata={f"k{n}": "v" for n in range(129)})
    assert reply.status == 403


def test_an_image_that_cannot_be_made_leaves_the_server_as_it_was(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    image_id = ask(cloud, id).body["image_id"]
    error = {"message": "The disk is broken.", "detail": "", "retry": False, "image": image_id}
    entry = {"id": id, "generation": 1, "power": "on", "reboot_generation": 0, "error": error}
    for _ in range(2):
        node.report(servers=[entry])
        assert cloud.get(f"/servers/{id}").body["server"]["status"] == "ACTIVE"
        assert task(cloud, id) is None
        assert shown(cloud, image_id).status == 404


def test_a_deleted_server_takes_its_unfinished_image_along(cloud: Client, boot: Boot, node: Node) -> None:
    id = boot()
    image_id = ask(cloud, id).body["image_id"]
    assert cloud.delete(f"/servers/{id}").status == 204
    node.turn()
    node.turn()
    assert cloud.get(f"/servers/{id}").status == 404
    assert shown(cloud, image_id).status == 404


def test_an_image_that_arrives_while_its_server_is_deleted_stays_and_does_not_end_the_deletion(
    cloud: Client, boot: Boot, node: Node
) -> None:
    id = boot()
    image_id = ask(cloud, id).body["image_id"]
    assert cloud.delete(f"/servers/{id}").status == 204
    send(cloud, image_id)
    assert task(cloud, id) == "deleting"
    node.turn()
    node.turn()
    assert cloud.get(f"/servers/{id}").status == 404
    assert shown(cloud, image_id).body["status"] == "active"


def test_a_deleted_image_is_not_waited_for(cloud: Client, boot: Boot) -> None:
    id = boot()
    image_id = ask(cloud, id).body["image_id"]
    assert cloud.at("/image/v2").delete(f"/images/{image_id}").status == 204
    assert cloud.database is not None
    assert cloud.database.write(lambda tx: servers.image_begins(tx, "node", image_id)) is None
    assert task(cloud, id) is None


def test_an_image_that_is_deleted_while_it_comes_does_not_hold_its_server(cloud: Client, boot: Boot) -> None:
    id = boot()
    image_id = ask(cloud, id).body["image_id"]
    assert cloud.database is not None
    assert cloud.database.write(lambda tx: servers.image_begins(tx, "node", image_id)) is not None
    assert task(cloud, id) == "image_uploading"
    assert cloud.at("/image/v2").delete(f"/images/{image_id}").status == 204
    reconcile(cloud.database, id)
    assert task(cloud, id) is None


def test_another_host_cannot_send_it(cloud: Client, boot: Boot) -> None:
    image_id = ask(cloud, boot()).body["image_id"]
    assert cloud.database is not None
    assert cloud.database.write(lambda tx: servers.image_begins(tx, "other", image_id)) is None


def test_somebody_elses_server_does_not_exist(cloud: Client, boot: Boot) -> None:
    assert ask(cloud.as_stranger(), boot()).status == 404
