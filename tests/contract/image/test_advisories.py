"""What once went wrong in clouds, by the classes of research/operators.md 4.2, and does not here: images.

Class 2 (headers that a guest wrote) is tested where disks are opened, tests/unit/compute; redirects of class 4 and
broken uploads of class 17 with a real `live`, tests/integration/live.
"""

import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from pilvi.image import routes as image_routes
from pilvi.image.cached_images.service import QUEUE_LIMIT
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.sandbox import ANSWER_S, InspectionFailed, Sandbox
from pilvi.image.drivers.web import CannotFetch, fetch
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Transfer
from pilvi.image.inspector import Collector, confine, refusal
from pilvi.kernel.config import Config
from pilvi.kernel.context import internal
from pilvi.kernel.errors import Conflict
from tests.contract.client import Client
from tests.contract.image.conftest import NEW, fill, made
from tests.unit.image import samples

HOST_FILES = {
    "qcow2 with a backing file": ("qcow2", samples.qcow2(backing=b"/etc/shadow")),
    "qcow2 with a JSON backing file": ("qcow2", samples.qcow2(backing=b'json:{"driver":"file"}')),
    "qcow2 whose data is elsewhere": ("qcow2", samples.qcow2(features=4)),
    "qcow2 that names a data file": ("qcow2", samples.qcow2(extension=(0x44415441, b"/etc/shadow"))),
    "vmdk of a flat extent": ("vmdk", samples.vmdk(kind="monolithicFlat", extents='RW 1 FLAT "/etc/shadow" 0')),
    "vmdk with a path": ("vmdk", samples.vmdk(extents='RW 2048 SPARSE "/etc/shadow"')),
    "vmdk that is a text": ("vmdk", b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n'),
    "vmdk whose footer tells something else": ("vmdk", samples.vmdk(kind="streamOptimized", footer=True)[:-1024]),
    "vhd with a parent": ("vhd", samples.vhd(kind=4)),
    "vhdx with a parent": ("vhdx", samples.vhdx(parent=True)),
    "raw that is qcow2": ("raw", samples.qcow2(backing=b"/etc/shadow")),
    "iso that is vmdk": ("iso", samples.vmdk(extents='RW 2048 SPARSE "/etc/shadow"')),
    "ami that is qcow2": ("ami", samples.qcow2()),
}


@pytest.mark.parametrize("name", HOST_FILES)
def test_class_1_no_image_leads_to_a_file_of_the_host(name: str) -> None:
    format, content = HOST_FILES[name]
    sandbox = Sandbox()
    try:
        collector = Collector(sandbox.locate)
        collector.feed(content)
        finding = sandbox.judge(collector.view())
    finally:
        sandbox.close()
    assert refusal(finding, format, "bare" if format != "ami" else "ami") != ""
    assert refusal(finding, format, "bare" if format != "ami" else "ami", is_strict=False) != ""


def test_class_3_looking_at_an_image_is_bounded() -> None:
    assert confine.CPU_S <= ANSWER_S
    assert confine.MEMORY_BYTES <= 512 * 1024**2
    collector = Collector(lambda head: 2 * 1024**2)
    for _ in range(64):
        collector.feed(b"vhdxfile" + bytes(1024**2))
    assert collector.kept_bytes < 2 * 1024**2
    sandbox = Sandbox(["/bin/false"])
    with pytest.raises(InspectionFailed):
        sandbox.judge(collector.view())
    sandbox.close()


@pytest.mark.parametrize(
    "uri",
    ["file:///etc/passwd", "http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest", "http://[::1]/",
     "http://[::ffff:10.0.0.1]/", "http://10.1.2.3/", "http://2130706433/", "http://0x7f.1/", "http://example.org:22/",
     "http://user:password@example.org/", "gopher://example.org/", "http://example.org\\@127.0.0.1/"],
)  # fmt: skip
def test_class_4_nothing_inside_is_fetched(images: Client, uri: str) -> None:
    id = made(images)["id"]
    body = {"method": {"name": "web-download", "uri": uri}}
    assert images.post(f"/images/{id}/import", body).status == 400
    task = {"type": "import", "input": {"import_from": uri, "import_from_format": "raw", "image_properties": {}}}
    assert images.as_admin().post("/tasks", task).status == 400
    assert images.get(f"/images/{id}").body["status"] == "queued"


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"]])
def test_class_4_a_name_that_leads_inside_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:  # fmt: skip
    resolves_to(monkeypatch, *addresses)
    with pytest.raises(CannotFetch, match="not on the public internet"):
        next(fetch("http://innocent.example/x", allowed_hosts=frozenset(), largest_bytes=1))


def test_class_7_headers_make_nobody(images: Client) -> None:
    forged = {
        "X-User-Id": "u", "X-Project-Id": images.facts["demo"], "X-Roles": "admin", "X-Identity-Status": "Confirmed",
        "X-Service-Roles": "service", "X-Is-Admin-Project": "True", "X-Pilvi-Host": "node",
    }  # fmt: skip
    assert images.anonymous().get("/images", headers=forged).status == 401
    assert images.get("/cache", headers=forged).status == 403


def test_class_9_nothing_below_a_foreign_image_is_reached(images: Client) -> None:
    id = made(images, visibility="private")["id"]
    stranger = images.as_stranger()
    for method, path, body in (
        ("PUT", "/tags/t", None), ("DELETE", "/tags/t", None), ("GET", "/members", None),
        ("POST", "/members", {"member": "x"}), ("GET", "/members/x", None), ("GET", "/tasks", None),
        ("GET", "/locations", None), ("POST", "/locations", {"url": "https://example.org/"}),
        ("POST", "/import", {"method": {"name": "glance-direct"}}), ("POST", "/actions/deactivate", None),
        ("POST", "/actions/reactivate", None),
    ):  # fmt: skip
        assert stranger.request(method, f"/images/{id}{path}", body).status == 404, (method, path)
    step = [{"op": "replace", "path": "/name", "value": "mine"}]
    assert stranger.patch(f"/images/{id}", step, headers=NEW).status == 404
    assert stranger.delete(f"/images/{id}").status == 404


OPEN_TO_ALL = {
    "GET /info/import", "GET /info/stores", "GET /info/usage", "GET /schemas/{name}", "GET /schemas/metadefs/{name}",
    "POST /images/{image_id}/import",  # One of two rules, by the method; the handler makes sure of it.
}  # fmt: skip


def test_class_10_every_route_has_a_rule(config: Config) -> None:
    api = image_routes.services_of(config)[0]
    assert {route.name for route in api.routes if route.rule is None} == OPEN_TO_ALL
    assert {route.auth for route in api.routes} == {"token"}


def test_class_16_what_an_address_carries_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "127.0.0.1")
    allowed = frozenset({"signed.example:1"})
    with pytest.raises(CannotFetch) as problem:
        next(fetch("http://signed.example:1/disk?token=abcdef", allowed_hosts=allowed, largest_bytes=1))
    assert "abcdef" not in str(problem.value)
    assert "signed.example" in str(problem.value)


@pytest.mark.parametrize("name", ["status", "size", "checksum", "os_hash_value", "virtual_size", "stores"])
def test_class_17_what_the_cloud_says_of_an_image_nobody_edits(images: Client, name: str) -> None:
    id = made(images)["id"]
    for client in (images, images.as_admin()):
        step = [{"op": "replace", "path": f"/{name}", "value": "active"}]
        assert client.patch(f"/images/{id}", step, headers=NEW).status == 403


def test_class_17_bytes_are_given_once(images: Client) -> None:
    id = made(images)["id"]
    fill(images, id)
    with pytest.raises(Conflict):
        images.database.write(lambda tx: image_data.begin(internal("req-test"), tx, id, store="file"))
    step = [{"op": "replace", "path": "/disk_format", "value": "qcow2"}]
    assert images.patch(f"/images/{id}", step, headers=NEW).status == 403


def test_class_17_two_who_upload_at_a_time_are_one(images: Client) -> None:
    id = made(images)["id"]
    begun: list[Transfer] = []
    refused: list[Conflict] = []

    def begin() -> None:
        try:
            begun.append(images.database.write(lambda tx: image_data.begin(internal("req-test"), tx, id, store="file")))
        except Conflict as fault:
            refused.append(fault)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(begun), len(refused)) == (1, 7)


def test_class_19_whatever_can_be_added_has_an_end(images: Client) -> None:
    assert images.post("/images", {f"p{i}": "x" for i in range(129)}).status == 413
    assert images.post("/images", {"tags": [f"t{i}" for i in range(129)]}).status == 413
    assert images.post("/images", {"p": "x" * 65536}).status == 400
    id = made(images)["id"]
    many = [{"op": "add", "path": "/p", "value": "x"}] * 1001
    assert images.patch(f"/images/{id}", many, headers=NEW).status == 400
    assert [images.post(f"/images/{id}/members", {"member": f"m{i}"}).status for i in range(129)][-2:] == [200, 413]
    assert images.get("/images?limit=1001").status in (200, 400)
    assert len(images.get("/images?limit=1000").body["images"]) <= 1000
    assert QUEUE_LIMIT <= 10_000


def test_class_20_what_is_written_is_the_clouds_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "images")
        sink = store.receive("image", "upload")
        sink.write(b"secret")
        part: Any = next(store.directory.iterdir())
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        sink.keep()
        assert stat.S_IMODE(store.path("image").stat().st_mode) == 0o600
        assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    finally:
        os.umask(before)
