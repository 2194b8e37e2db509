"""Free properties that only some may read and change: by roles, and by rules."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pilvi.image.images import service
from pilvi.image.property_protections.model import Protections, Section, load, parse
from pilvi.image.property_protections.service import LOOK_EVERY_S, Watched
from pilvi.kernel import clock
from pilvi.kernel.config import Config, ConfigError
from pilvi.kernel.context import Context
from pilvi.kernel.policy_language import Node, PolicyError, said
from tests.contract.client import Client
from tests.contract.image.conftest import NEW, made

ROLES = """
[^open_]
create = member,reader
read = @
update = @
delete = @

[^x_all_but_delete$]
create = Member
read = member
update = MEMBER
delete = !

[^x_secret]
create = admin
read = admin
update = admin
delete = admin

[^x_nobody]
create =
read = !
update = !
delete = !
"""
RULES = """
[^x_secret]
create = image_keepers
read = image_keepers
update = image_keepers
delete = !

[.*]
create = @
read = @
update = @
delete = @
"""
POLICY = 'image_keepers: "role:admin or rule:own_keepers"\nown_keepers: "role:keeper"\n'


@pytest.fixture
def config(config: Config, tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    by_rules = "rules" in request.node.name
    file = tmp_path / "protections.conf"
    file.write_text(RULES if by_rules else ROLES)
    config.paths.policy.mkdir(parents=True)
    (config.paths.policy / "image.yaml").write_text(POLICY)
    format: Any = "policies" if by_rules else "roles"
    return replace(
        config, image=replace(config.image, property_protections=file, property_protection_format=format)
    )  # fmt: skip


def patch(client: Client, id: str, op: str, name: str, value: str | None = None) -> int:
    step = {"op": op, "path": f"/{name}"} | ({} if value is None else {"value": value})
    return client.patch(f"/images/{id}", [step], headers=NEW).status


def test_a_name_is_judged_once_for_a_whole_list(images: Client) -> None:
    asked: list[Context] = []

    def may_read(ctx: Context) -> bool:
        asked.append(ctx)
        return False

    protections = Protections(
        (Section(re.compile("^x_"), {"read": may_read}), Section(re.compile(""), {"read": lambda ctx: True}))
    )
    id = made(images, open_a="2")["id"]
    image = images.database.read(lambda tx: service.find(tx, id))
    assert image is not None
    readable = protections.reader(Context(request_id="req-1"))
    listed = [readable(replace(image, properties={"x_secret": str(i), "open_a": "2"})) for i in range(3)]
    assert [one.properties for one in listed] == [{"open_a": "2"}] * 3
    assert len(asked) == 1


def test_roles_say_who_creates(images: Client) -> None:
    assert made(images, open_a="1", x_all_but_delete="2")["open_a"] == "1"
    for name in ("x_secret", "x_nobody", "not_in_the_file"):
        reply = images.post("/images", {name: "1"})
        assert (reply.status, f"'{name}' is protected" in reply.body["message"]) == (403, True)
    assert made(images.as_admin(), x_secret="1")["x_secret"] == "1"
    assert images.as_admin().post("/images", {"x_nobody": "1"}).status == 403


def test_roles_say_who_reads(images: Client) -> None:
    id = made(images.as_admin(), x_secret="1", visibility="public")["id"]
    assert images.as_admin().get(f"/images/{id}").body["x_secret"] == "1"
    assert "x_secret" not in images.get(f"/images/{id}").body
    assert "x_secret" not in images.get("/images?visibility=public").body["images"][0]


def test_a_filter_does_not_tell_what_cannot_be_read(images: Client) -> None:
    made(images.as_admin(), x_secret="1", visibility="public")
    assert len(images.as_admin().get("/images?x_secret=1").body["images"]) == 1
    assert images.get("/images?x_secret=1").body["images"] == []


def test_roles_say_who_changes_and_removes(images: Client) -> None:
    id = made(images, x_all_but_delete="1", open_a="1")["id"]
    assert patch(images, id, "replace", "x_all_but_delete", "2") == 200
    assert patch(images, id, "add", "x_all_but_delete", "3") == 200
    assert patch(images, id, "remove", "x_all_but_delete") == 403
    assert patch(images, id, "remove", "open_a") == 200
    assert patch(images, id, "add", "x_secret", "1") == 403
    assert patch(images.as_admin(), id, "add", "x_secret", "1") == 200
    for op, value in (("replace", "2"), ("remove", None)):
        assert patch(images, id, op, "x_secret", value) == 403
    assert patch(images, id, "replace", "name", "still mine") == 200
    assert images.as_admin().get(f"/images/{id}").body["x_secret"] == "1"


def test_what_the_cloud_itself_sets_is_never_protected(images: Client) -> None:
    id = made(images)["id"]
    body = {"method": {"name": "web-download", "uri": "https://example.org/x"}}
    assert images.post(f"/images/{id}/import", body).status == 202
    assert "os_glance_importing_to_stores" in images.get(f"/images/{id}").body


def test_rules_say_who_creates_reads_and_changes(images: Client) -> None:
    assert images.post("/images", {"x_secret": "1"}).status == 403
    id = made(images, anything="1")["id"]
    assert patch(images.as_admin(), id, "add", "x_secret", "1") == 200
    assert "x_secret" not in images.get(f"/images/{id}").body
    assert patch(images.as_admin(), id, "remove", "x_secret") == 403


def no_rules(name: str) -> Node:
    raise PolicyError(f"there is no rule {name!r}")


@pytest.mark.parametrize(
    ("text", "format", "says"),
    [
        ("[a]\ncreate = x\nread = x\nupdate = x\n", "roles", "who may delete"),
        ("[(]\ncreate=a\nread=a\nupdate=a\ndelete=a\n", "roles", "regular expression"),
        ("[a]\ncreate = @,!\nread=a\nupdate=a\ndelete=a\n", "roles", "both @"),
        ("[a]\ncreate = x,y\nread=a\nupdate=a\ndelete=a\n", "policies", "several rules"),
        ("[a]\ncreate = gone\nread=@\nupdate=@\ndelete=@\n", "policies", "no rule 'gone'"),
        ("[a]\ncreate=a\nread=a\nupdate=a\ndelete=a\nrename=a\n", "roles", "rename"),
        ("[a]\ncreate=a\n[a]\ncreate=a\n", "roles", "already exists"),
        ("create=a\n", "roles", "no section"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, format: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(text, format, no_rules)


def test_a_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "gone", "roles", no_rules)


def test_without_a_file_all_is_open(tmp_path: Path) -> None:
    assert Watched(Config())() == Protections()
    assert load(None, "roles", lambda name: said("!")) == Protections()


def say(path: Path, text: str) -> None:
    """As editors do: another file takes the place."""
    scratch = path.with_name("scratch")
    scratch.write_text(text)
    scratch.replace(path)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    passed = [0.0]
    real = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: real() + passed[0])

    def pass_on() -> None:
        passed[0] += LOOK_EVERY_S

    return pass_on


def test_a_changed_file_is_in_force_without_a_restart(
    images: Client, config: Config, later: Callable[[], None]
) -> None:
    file = config.image.property_protections
    assert file is not None
    assert images.post("/images", {"not_in_the_file": "1"}).status == 403
    say(file, "[.*]\ncreate = @\nread = @\nupdate = @\ndelete = @\n")
    later()
    id = made(images, not_in_the_file="1")["id"]
    say(file, "[.*]\ncreate = whoever\nread = !\n")  # Half a file: what was said before holds.
    later()
    assert images.get(f"/images/{id}").body["not_in_the_file"] == "1"
    file.unlink()
    later()
    assert images.get(f"/images/{id}").body["not_in_the_file"] == "1"
    say(file, ROLES)
    later()
    assert "not_in_the_file" not in images.get(f"/images/{id}").body


def test_changed_rules_that_the_file_names_are_in_force_without_a_restart(
    images: Client, config: Config, later: Callable[[], None]
) -> None:
    assert images.post("/images", {"x_secret": "1"}).status == 403
    say(config.paths.policy / "image.yaml", 'image_keepers: "role:member"\n')
    later()
    assert made(images, x_secret="1")["x_secret"] == "1"
