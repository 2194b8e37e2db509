"""Imports through a real `live`: staged data, data of web servers, of other images, into several stores."""

import http.server
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pilvi.image.images import service as images
from tests.integration.live.rig import Rig, running
from tests.integration.live.test_image_streams import store_steps, tidied, wait_until
from tests.unit.image.samples import qcow2

CONTENT = {"/good": qcow2(), "/raw": os.urandom(100_000), "/backed": qcow2(backing=b"/etc/shadow")}


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]] = []  # noqa: RUF012 the handler is made per request

    def do_GET(self) -> None:
        Site.seen.append({k.lower(): v for k, v in self.headers.items()})
        port = self.server.server_address[1]
        away = {"/to-good": "/good", "/to-metadata": f"http://127.0.0.2:{port}/good", "/round": "/round",
                "/to-file": "file:///etc/passwd"}  # fmt: skip
        if self.path in away:
            self.send_response(302)
            self.send_header("Location", away[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = CONTENT.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"") + (1000 if self.path == "/raw-short" else 0)))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def rig(site: str) -> Iterator[Rig]:
    with running(import_from=site, several_stores=True) as made:
        yield made


def begin(rig: Rig, id: str, name: str, who: str = "member", expected: int = 202, **more: Any) -> Any:
    method = {k: v for k, v in more.items() if k not in ("stores", "all_stores", "all_stores_must_succeed")}
    body = {"method": {"name": name, **method}, **{k: v for k, v in more.items() if k not in method}}
    reply = rig.images.as_(who).post(f"/images/{id}/import", body)
    assert reply.status == expected, reply.content
    rig.client.work()
    return reply


def over(rig: Rig, id: str) -> dict[str, Any]:
    """The one task of an image, when it is over."""
    wait_until(lambda: rig.images.get(f"/images/{id}/tasks").body["tasks"][0]["status"] in ("success", "failure"))
    task: dict[str, Any] = rig.images.get(f"/images/{id}/tasks").body["tasks"][0]
    return task


def test_staged_data_is_imported(rig: Rig) -> None:
    id = rig.image()
    assert rig.upload(id, b"staged data", what="stage")[0] == 204
    reply = begin(rig, id, "glance-direct")
    task = over(rig, id)
    assert (task["status"], task["type"], task["message"]) == ("success", "api_image_import", "")
    assert task["request_id"] == reply.headers["x-openstack-request-id"]
    assert task["input"]["import_req"]["method"]["name"] == "glance-direct"
    shown = rig.images.get(f"/images/{id}").body
    assert (shown["status"], shown["size"], shown["stores"]) == ("active", 11, "file")
    assert (shown["os_glance_importing_to_stores"], shown["os_glance_failed_import"]) == ("", "")
    assert rig.download(id)[2] == b"staged data"
    wait_until(lambda: not (rig.paths.images / "staging" / id).exists())


def test_staged_data_that_is_not_what_it_says_is_thrown_away(rig: Rig) -> None:
    id = rig.image(disk_format="qcow2")
    assert rig.upload(id, qcow2(backing=b"/etc/shadow"), what="stage")[0] == 204
    begin(rig, id, "glance-direct")
    task = over(rig, id)
    assert task["status"] == "failure"
    assert "backing file" in task["message"]
    shown = rig.images.get(f"/images/{id}").body
    assert (shown["status"], shown["size"], shown["os_glance_failed_import"]) == ("queued", None, "file")
    wait_until(lambda: not (rig.paths.images / "staging" / id).exists())


def test_data_goes_to_all_stores(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"everywhere", what="stage")
    begin(rig, id, "glance-direct", all_stores=True)
    assert over(rig, id)["status"] == "success"
    assert rig.images.get(f"/images/{id}").body["stores"] == "file,second"
    assert (rig.second / id).read_bytes() == b"everywhere"
    once = ["image store receive", "image inspect", "image store keep"]
    assert [step for step, outcome in store_steps(rig, id) if outcome == "done"] == [
        "image store receive",
        once[2],
        *once,
        *once,
    ]


def test_what_came_into_one_store_goes_when_another_one_fails(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"half of it", what="stage")
    (rig.second / id).mkdir(parents=True)  # In the way of the file.
    begin(rig, id, "glance-direct", all_stores=True)
    assert over(rig, id)["status"] == "failure"
    assert rig.images.get(f"/images/{id}").body["status"] == "queued"
    (rig.second / id).rmdir()
    assert rig.store.size(id) is not None
    tidied(rig, id)
    assert rig.store.size(id) is None


def test_a_copy_that_failed_leaves_the_image_and_nothing_else(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"copy me")
    (rig.second / id).mkdir(parents=True)
    begin(rig, id, "copy-image", who="admin", all_stores=True)
    assert over(rig, id)["status"] == "failure"
    (rig.second / id).rmdir()
    tidied(rig, id)
    assert rig.images.get(f"/images/{id}").body["stores"] == "file"
    assert rig.download(id)[2] == b"copy me"


def test_an_active_image_is_copied_by_an_administrator(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"copy me")
    begin(rig, id, "copy-image", expected=403, all_stores=True)
    begin(rig, id, "copy-image", who="admin", all_stores=True, all_stores_must_succeed=False)
    assert over(rig, id)["status"] == "success"
    shown = rig.images.get(f"/images/{id}").body
    assert (shown["status"], shown["stores"], shown["os_glance_failed_import"]) == ("active", "file,second", "")
    assert (rig.second / id).read_bytes() == b"copy me"


@pytest.mark.parametrize("path", ["good", "to-good"])
def test_a_web_server_is_asked_without_credentials(rig: Rig, site: str, path: str) -> None:
    id = rig.image(disk_format="qcow2")
    begin(rig, id, "web-download", uri=f"http://{site}/{path}")
    assert over(rig, id)["status"] == "success"
    assert rig.download(id)[2] == CONTENT["/good"]
    assert not {"authorization", "x-auth-token", "cookie"} & {name for seen in Site.seen for name in seen}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "404"),
        ("to-metadata", "does not pass filtering"),
        ("to-file", "does not pass filtering"),
        ("round", "redirects more than"),
        ("backed", "backing file"),
        ("raw", "qcow2"),
    ],
)
def test_what_cannot_be_fetched_leaves_the_image_queued(rig: Rig, site: str, path: str, reason: str) -> None:
    id = rig.image(disk_format="qcow2")
    begin(rig, id, "web-download", uri=f"http://{site}/{path}")
    task = over(rig, id)
    assert task["status"] == "failure"
    assert reason in task["message"]
    assert rig.status_of(id) == "queued"
    assert not list(rig.store.directory.glob(f"{id}*"))
    assert rig.upload(id, qcow2())[0] == 204


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/x", "http://localhost/x", "http://10.1.2.3/x", "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://[fe80::1]/x", "http://2130706433/x", "http://0x7f.1/x",
        "http://user:pass@example.org/x", "ftp://example.org/x", "file:///etc/passwd", "http://example.org:22/x",
        "http:///x", "x", "", "http://exa mple.org/", "http://[64:ff9b::7f00:1]/", "http://0.0.0.0/", 5, None,
    ],
)  # fmt: skip
def test_addresses_that_lead_inside_are_refused_at_once(rig: Rig, uri: Any) -> None:
    id = rig.image()
    begin(rig, id, "web-download", uri=uri, expected=400)
    assert rig.status_of(id) == "queued"


def test_an_image_of_the_same_cloud_is_downloaded(rig: Rig) -> None:
    source = rig.image(hw_cpu_cores="5", speed="fast")
    rig.upload(source, b"the source")
    id = rig.image(disk_format="iso", container_format="ovf", hw_cpu_cores="1")
    begin(rig, id, "glance-download", glance_image_id=source, glance_region="RegionOne")
    assert over(rig, id)["status"] == "success"
    shown = rig.images.get(f"/images/{id}").body
    assert (shown["disk_format"], shown["container_format"], shown["hw_cpu_cores"]) == ("raw", "bare", "5")
    assert "speed" not in shown
    assert rig.download(id)[2] == b"the source"


def test_an_image_that_the_caller_cannot_see_is_not_downloaded(rig: Rig) -> None:
    source = rig.image(visibility="private")
    rig.upload(source, b"secret")
    id = str(rig.images.as_stranger().post("/images", {"disk_format": "raw", "container_format": "bare"}).body["id"])
    begin(rig, id, "glance-download", who="stranger", glance_image_id=source, glance_region="RegionOne")
    wait_until(lambda: rig.images.as_admin().get(f"/images/{id}/tasks").body["tasks"][0]["status"] == "failure")
    assert rig.images.as_stranger().get(f"/images/{id}").body["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"method": {"name": "nothing"}}, 400),
        ({"method": "glance-direct"}, 400),
        ({}, 400),
        ([], 400),
        ({"method": {"name": "glance-direct"}}, 409),
        ({"method": {"name": "copy-image"}}, 403),
        ({"method": {"name": "glance-download", "glance_image_id": "foo", "glance_region": "x"}}, 400),
        ({"method": {"name": "glance-direct"}, "stores": ["nowhere"]}, 409),
        ({"method": {"name": "glance-direct"}, "stores": ["file"], "all_stores": True}, 400),
        ({"method": {"name": "glance-direct"}, "all_stores": "yes"}, 400),
        ({"method": {"name": "glance-direct"}, "stores": "file"}, 400),
    ],
)
def test_an_import_that_makes_no_sense_is_refused(rig: Rig, body: Any, status: int) -> None:
    assert rig.images.post(f"/images/{rig.image()}/import", body).status == status


def test_strangers_and_readers_import_nothing(rig: Rig, site: str) -> None:
    id = rig.image()
    begin(rig, id, "web-download", who="stranger", uri=f"http://{site}/raw", expected=404)
    begin(rig, id, "web-download", who="reader", uri=f"http://{site}/raw", expected=403)


def test_an_image_deleted_meanwhile_ends_its_task(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"x", what="stage")
    reply = rig.images.post(f"/images/{id}/import", {"method": {"name": "glance-direct"}})
    assert reply.status == 202
    rig.images.delete(f"/images/{id}")
    rig.client.work()
    from pilvi.image.tasks import service as tasks

    wait_until(lambda: all(t.is_over for t in rig.database.read(lambda tx: tasks.of_image(tx, id))))
    assert rig.database.read(lambda tx: images.find(tx, id)) is None
    wait_until(lambda: not (rig.paths.images / "staging" / id).exists())


def test_an_administrator_begins_a_task_that_makes_an_image(rig: Rig, site: str) -> None:
    admin = rig.images.as_admin()
    input = {"import_from": f"http://{site}/good", "import_from_format": "qcow2",
             "image_properties": {"name": "by task", "disk_format": "qcow2"}}  # fmt: skip
    assert rig.images.post("/tasks", {"type": "import", "input": input}).status == 403
    made = admin.post("/tasks", {"type": "import", "input": input})
    assert (made.status, made.body["status"]) == (201, "pending")
    assert made.headers["location"].endswith(f"/v2/tasks/{made.body['id']}")
    rig.client.work()
    wait_until(lambda: admin.get(f"/tasks/{made.body['id']}").body["status"] == "success")
    image_id = admin.get(f"/tasks/{made.body['id']}").body["result"]["image_id"]
    assert admin.get(f"/images/{image_id}").body["name"] == "by task"
    assert made.body["id"] in [task["id"] for task in admin.get("/tasks?limit=5").body["tasks"]]
    for bad in ({"type": "import"}, {"type": "other", "input": input}, {"input": input}):
        assert admin.post("/tasks", bad).status == 400
    assert rig.images.get("/tasks").status == 403
    assert admin.get("/tasks/none").status == 404


def test_stores_are_said_where_there_are_several(rig: Rig) -> None:
    stores = rig.images.get("/info/stores").body["stores"]
    assert [(s["id"], s.get("default")) for s in stores] == [("file", "true"), ("second", None)]
    assert rig.images.get("/info/stores/detail").status == 403
    assert rig.images.as_admin().get("/info/stores/detail").body["stores"][0]["type"] == "file"


def test_an_image_that_lies_elsewhere_is_passed_on(rig: Rig, site: str) -> None:
    from tests.contract.image.conftest import NEW

    def located(path: str) -> str:
        id = rig.image(disk_format="qcow2")
        place = {"url": f"http://{site}{path}", "metadata": {}}
        reply = rig.images.patch(f"/images/{id}", [{"op": "add", "path": "/locations/-", "value": place}], headers=NEW)
        assert reply.status == 200, reply.content
        return id

    assert rig.download(located("/good"))[::2] == (200, CONTENT["/good"])
    assert rig.download(located("/missing"))[0] == 503
    assert rig.download(located("/to-metadata"))[0] == 503


def test_an_image_is_taken_out_of_one_store(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"twice", what="stage")
    begin(rig, id, "glance-direct", all_stores=True)
    assert over(rig, id)["status"] == "success"
    assert rig.images.delete("/stores/file/" + id).status == 403
    admin = rig.images.as_admin()
    assert admin.delete("/stores/nowhere/" + id).status == 404
    assert admin.delete("/stores/file/" + id).status == 204
    assert admin.delete("/stores/file/" + id).status == 404
    assert admin.delete("/stores/second/" + id).status == 403
    assert rig.images.get(f"/images/{id}").body["stores"] == "second"
    assert rig.download(id)[2] == b"twice"
