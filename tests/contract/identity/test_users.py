"""Users, passwords, groups."""

from collections.abc import Iterator

import pytest

from pilvi.identity import settings
from pilvi.identity.users.model import PasswordRules
from tests.contract.client import Client
from tests.contract.identity.conftest import World, by_password, log_in, with_token


def test_a_user_is_shown_without_the_password(world: World) -> None:
    made = world.user(email="ann@example.org", description="d", options={"lock_password": True})
    shown = world.admin.get(f"/users/{made['id']}").body["user"]
    assert shown == made
    assert "password" not in shown
    assert (shown["email"], shown["options"]) == ("ann@example.org", {"lock_password": True})
    assert "default_project_id" not in shown


def test_unknown_options_and_bad_values_are_400(world: World) -> None:
    for change in ({"options": {"fly": True}}, {"name": ""}, {"enabled": "true"}, {"password": 7}):
        body = {"user": {"name": "x", "domain_id": "default", **change}}
        assert world.admin.post("/users", body).status == 400
    assert world.admin.post("/users", {"user": {"name": "x", "domain_id": "nowhere"}}).status == 404


def test_a_user_is_changed_and_deleted(world: World) -> None:
    user = world.user()
    path = f"/users/{user['id']}"
    changed = world.admin.patch(path, {"user": {"name": "anna", "email": "x", "options": {"lock_password": None}}})
    assert (changed.body["user"]["name"], changed.body["user"]["email"]) == ("anna", "x")
    assert world.admin.patch(path, {"user": {"domain_id": world.domain()["id"]}}).status == 400
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404


def test_a_user_reads_the_own_account_and_changes_nothing_of_it(world: World) -> None:
    user, project = world.member()
    other = world.user("bob")
    me = with_token(world.admin, world.project_token(user, project))
    assert me.get(f"/users/{user['id']}").status == 200
    assert me.get(f"/users/{other['id']}").status == 403
    assert me.patch(f"/users/{user['id']}", {"user": {"name": "queen"}}).status == 403
    assert me.get("/users").status == 403
    assert [p["id"] for p in me.get(f"/users/{user['id']}/projects").body["projects"]] == [project["id"]]


def change(client: Client, user: dict[str, str], old: str, new: str) -> int:
    body = {"user": {"original_password": old, "password": new}}
    return client.anonymous().post(f"/users/{user['id']}/password", body).status


def test_users_change_their_own_password_without_a_token(world: World) -> None:
    user = world.user()
    before = with_token(world.admin, world.token(user, "unscoped"))
    assert change(world.admin, user, "wrong", "new") == 401
    assert change(world.admin, {"id": "0" * 32}, "wrong", "new") == 401
    assert change(world.admin, user, "secret", "new") == 204
    assert before.get("/auth/projects").status == 401
    assert world.token(user, "unscoped", "new")
    assert log_in(world.admin, by_password(user["id"], "secret")).status == 401


def test_a_locked_password_is_changed_by_administrators_only(world: World) -> None:
    user = world.user(options={"lock_password": True})
    assert change(world.admin, user, "secret", "new") == 400
    assert world.admin.patch(f"/users/{user['id']}", {"user": {"password": "new"}}).status == 200


@pytest.fixture
def strict() -> Iterator[PasswordRules]:
    """A site with rules."""
    former = settings.current.passwords
    rules = PasswordRules(lockout_failures=2, lockout_s=600.0, expires_after_days=1, unique_last=2, regex="^.{3,}$")
    settings.current.passwords = rules
    yield rules
    settings.current.passwords = former


def test_too_many_wrong_passwords_lock_an_account(world: World, strict: PasswordRules) -> None:
    user, immune = world.user(), world.user("immune", options={"ignore_lockout_failure_attempts": True})
    for each in (user, immune):
        for _ in range(2):
            assert log_in(world.admin, by_password(each["id"], "wrong")).status == 401
    assert log_in(world.admin, by_password(user["id"], "secret")).status == 401
    assert log_in(world.admin, by_password(immune["id"], "secret")).status == 201
    world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": True}})
    assert log_in(world.admin, by_password(user["id"], "secret")).status == 201


def test_former_passwords_do_not_come_back(world: World, strict: PasswordRules) -> None:
    user = world.user()
    assert change(world.admin, user, "secret", "second") == 204
    assert change(world.admin, user, "second", "secret") == 400
    assert change(world.admin, user, "second", "x") == 400
    assert change(world.admin, user, "second", "third") == 204
    assert change(world.admin, user, "third", "secret") == 204


def test_an_expired_password_must_be_changed(world: World, strict: PasswordRules, cloud: Client) -> None:
    from pilvi.identity.users import store

    user = world.user()
    assert user["password_expires_at"] is not None
    past = "2020-01-01T00:00:00.000000Z"
    cloud.database.write(lambda tx: store.update(tx, user["id"], {"password_expires_at": past}))
    reply = log_in(world.admin, by_password(user["id"], "secret"))
    assert reply.status == 401
    assert "expired" in reply.body["error"]["message"]
    assert change(world.admin, user, "secret", "second") == 204
    assert log_in(world.admin, by_password(user["id"], "second")).status == 201
    listed = world.admin.get("/users?password_expires_at=gt:2021-01-01T00:00:00Z").body["users"]
    assert user["id"] in [u["id"] for u in listed]
    assert world.admin.get("/users?password_expires_at=lt:soon").status == 400


def test_a_bcrypt_hash_of_an_imported_account_opens(world: World, cloud: Client) -> None:
    import bcrypt

    from pilvi.identity.users import store

    user = world.user()
    hashed = bcrypt.hashpw(b"imported", bcrypt.gensalt(4)).decode()
    cloud.database.write(lambda tx: store.update(tx, user["id"], {"password_hash": hashed}))
    assert world.token(user, "unscoped", "imported")


def test_groups_hold_users(world: World) -> None:
    group, user = world.group(), world.user()
    path = f"/groups/{group['id']}/users"
    assert world.admin.put(f"{path}/{user['id']}").status == 204
    assert world.admin.put(f"{path}/{user['id']}").status == 204
    assert world.admin.request("HEAD", f"{path}/{user['id']}").status == 204
    assert [u["id"] for u in world.admin.get(path).body["users"]] == [user["id"]]
    assert [g["id"] for g in world.admin.get(f"/users/{user['id']}/groups").body["groups"]] == [group["id"]]
    assert world.admin.delete(f"{path}/{user['id']}").status == 204
    assert world.admin.delete(f"{path}/{user['id']}").status == 404
    assert world.admin.put(f"{path}/{'0' * 32}").status == 404
    changed = world.admin.patch(f"/groups/{group['id']}", {"group": {"description": "x"}}).body["group"]
    assert changed["description"] == "x"
    assert world.admin.delete(f"/groups/{group['id']}").status == 204
    assert world.admin.get(f"/groups/{group['id']}").status == 404
