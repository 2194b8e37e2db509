"""A domain whose users and groups are in a real OpenLDAP directory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pilvi.identity.directories import reconcile
from pilvi.identity.drivers import ldap
from pilvi.kernel import work
from pilvi.kernel.errors import Unavailable
from pilvi.ops.scratch_slapd import ADMIN, PASSWORD, SUFFIX, Slapd, scratch_slapd
from tests.contract.client import Reply
from tests.contract.identity.certificates import make_authority
from tests.contract.identity.conftest import World, by_password, log_in, token_of, with_token

PERSON, GROUP = ["inetOrgPerson"], ["groupOfNames"]
OPTIONS = {
    "user": ADMIN, "password": PASSWORD, "suffix": SUFFIX, "user_tree_dn": f"ou=people,{SUFFIX}",
    "group_tree_dn": f"ou=teams,{SUFFIX}", "user_id_attribute": "uid", "user_name_attribute": "uid",
    "user_enabled_attribute": "employeeType", "group_name_attribute": "cn", "connection_timeout": 2,
    "user_additional_attribute_mapping": "telephoneNumber:phone", "page_size": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def slapd(certificates: tuple[Path, Path, Path]) -> Iterator[Slapd]:
    with scratch_slapd(certificates) as directory:
        yield directory
        directory.admin.unbind()


@pytest.fixture
def corp(slapd: Slapd) -> Iterator[Slapd]:
    """Ann and Bob, Ann in the team of painters."""
    for unit in ("people", "teams"):
        slapd.add(f"ou={unit}", ["organizationalUnit"])
    for name in ("ann", "bob"):
        person(slapd, name)
    slapd.add("cn=painters,ou=teams", GROUP, member=dn("ann"), description="with brushes")
    yield slapd
    ldap.close_all()
    slapd.clear()


def person(slapd: Slapd, name: str, **more: Any) -> None:
    facts = {"mail": f"{name}@corp.example", "userPassword": f"pw-{name}", "telephoneNumber": "123", **more}
    slapd.add(f"uid={name},ou=people", PERSON, cn=name.title(), sn="Smith", **facts)


def dn(name: str) -> str:
    return f"uid={name},ou=people,{SUFFIX}"


def configure(world: World, slapd: Slapd, domain_id: str, **changed: Any) -> None:
    options = {"url": slapd.url, **OPTIONS, **changed}
    body = {"config": {"identity": {"driver": "ldap"}, "ldap": options}}
    reply = world.admin.put(f"/domains/{domain_id}/config", body)
    assert reply.status in (200, 201), reply.content
    assert PASSWORD.encode() not in reply.content


def mirror(world: World, domain_id: str) -> None:
    """A turn of the loop."""
    reconcile.reconcile(world.admin.database, domain_id)


@pytest.fixture
def far(world: World, corp: Slapd) -> dict[str, Any]:
    """The domain, mirrored."""
    made = world.domain()
    configure(world, corp, made["id"])
    mirror(world, made["id"])
    return made


def people(world: World, domain: dict[str, Any]) -> dict[str, Any]:
    return {u["name"]: u for u in world.admin.get(f"/users?domain_id={domain['id']}").body["users"]}


def enter(world: World, domain: dict[str, Any], name: str, password: str, scope: Any = "unscoped") -> Reply:
    user = {"name": name, "domain": {"id": domain["id"]}, "password": password}
    return log_in(world.admin, {"methods": ["password"], "password": {"user": user}}, scope)


def test_users_and_groups_are_listed_and_shown(world: World, far: dict[str, Any]) -> None:
    found = people(world, far)
    assert sorted(found) == ["ann", "bob"]
    ann = world.admin.get(f"/users/{found['ann']['id']}").body["user"]
    assert (ann["email"], ann["phone"], ann["enabled"], len(ann["id"])) == ("ann@corp.example", "123", True, 64)
    assert ann["domain_id"] == far["id"]
    (team,) = world.admin.get(f"/groups?domain_id={far['id']}").body["groups"]
    assert (team["name"], team["description"]) == ("painters", "with brushes")
    assert [u["name"] for u in world.admin.get(f"/groups/{team['id']}/users").body["users"]] == ["ann"]
    assert world.admin.get(f"/groups/{team['id']}/users/{ann['id']}").status == 204
    assert [g["name"] for g in world.admin.get(f"/users/{ann['id']}/groups").body["groups"]] == ["painters"]
    assert world.admin.get(f"/users?domain_id={far['id']}&name=bob").body["users"][0]["name"] == "bob"


def test_changing_the_configuration_pokes_the_loop_and_the_sweep_finds_domains(world: World, corp: Slapd) -> None:
    far = world.domain()
    configure(world, corp, far["id"])
    database = world.admin.database
    due = database.write(lambda tx: work.claim(tx, [reconcile.DIRECTORY_LOOP], "test", lease_s=60, limit=10))
    assert [item.key for item in due] == [far["id"]]
    sweep = reconcile.loop().sweep
    assert sweep is not None
    assert database.read(sweep) == [far["id"]]


def test_a_password_is_tried_at_the_directory(world: World, far: dict[str, Any]) -> None:
    reply = enter(world, far, "ann", "pw-ann")
    assert reply.status == 201, reply.content
    ann = people(world, far)["ann"]
    assert reply.body["token"]["user"]["id"] == ann["id"]
    assert log_in(world.admin, by_password(ann["id"], "pw-ann"), "unscoped").status == 201
    for name, password in (("ann", "pw-bob"), ("ann", ""), ("nobody", "x"), ("*", "pw-ann"), ("ann)(uid=*", "pw-ann")):
        assert enter(world, far, name, password).status == 401, (name, password)
    assert log_in(world.admin, by_password(ann["id"], "")).status == 401
    unknown, wrong = enter(world, far, "nobody", "x"), enter(world, far, "ann", "x")
    assert unknown.body == wrong.body


def test_who_logs_in_before_the_mirror_looked_is_known_at_once(world: World, corp: Slapd) -> None:
    far = world.domain()
    configure(world, corp, far["id"])
    assert people(world, far) == {}
    reply = enter(world, far, "ann", "pw-ann")
    assert reply.status == 201
    assert list(people(world, far)) == ["ann"]
    id = reply.body["token"]["user"]["id"]
    assert [g["name"] for g in world.admin.get(f"/users/{id}/groups").body["groups"]] == ["painters"]
    mirror(world, far["id"])
    assert people(world, far)["ann"]["id"] == id


def test_grants_of_people_and_teams_count(world: World, far: dict[str, Any], corp: Slapd) -> None:
    project = world.project()
    (team,) = world.admin.get(f"/groups?domain_id={far['id']}").body["groups"]
    world.grant(f"/projects/{project['id']}/groups/{team['id']}/roles/{world.roles['member']}")
    scope = {"project": {"id": project["id"]}}
    me = with_token(world.admin, token_of(enter(world, far, "ann", "pw-ann", scope)))
    assert enter(world, far, "bob", "pw-bob", scope).status == 401
    assert me.get("/auth/projects").status == 200
    corp.change("cn=painters,ou=teams", member=[dn("bob")])
    mirror(world, far["id"])
    assert me.get("/auth/projects").status == 401
    assert enter(world, far, "bob", "pw-bob", scope).status == 201
    corp.change("cn=painters,ou=teams", member=[dn("ann"), dn("bob")])
    assert enter(world, far, "ann", "pw-ann", scope).status == 201
    corp.change("cn=painters,ou=teams", member=[dn("ann")])
    assert enter(world, far, "bob", "pw-bob", scope).status == 401


@pytest.mark.parametrize("odd", ["FALSE", "false", "0", "maybe", "False ", "disabled"])
def test_whoever_is_not_clearly_enabled_stays_out(world: World, far: dict[str, Any], corp: Slapd, odd: str) -> None:
    me = with_token(world.admin, token_of(enter(world, far, "ann", "pw-ann")))
    corp.change("uid=ann,ou=people", employeeType=[odd])
    assert enter(world, far, "ann", "pw-ann").status == 401
    mirror(world, far["id"])
    assert people(world, far)["ann"]["enabled"] is False
    assert me.get("/auth/projects").status == 401
    corp.change("uid=ann,ou=people", employeeType=["TRUE"])
    assert enter(world, far, "ann", "pw-ann").status == 201


def test_masks_inversion_and_a_group_of_enabled_users_say_who_is_enabled(
    world: World, far: dict[str, Any], corp: Slapd
) -> None:
    corp.change("uid=ann,ou=people", employeeType=["514"])
    corp.change("uid=bob,ou=people", employeeType=["512"])
    configure(world, corp, far["id"], user_enabled_mask=2)
    mirror(world, far["id"])
    assert {n: u["enabled"] for n, u in people(world, far).items()} == {"ann": False, "bob": True}
    corp.change("uid=ann,ou=people", employeeType=["FALSE"])
    corp.change("uid=bob,ou=people", employeeType=["TRUE"])
    configure(world, corp, far["id"], user_enabled_invert=True)
    mirror(world, far["id"])
    assert {n: u["enabled"] for n, u in people(world, far).items()} == {"ann": True, "bob": False}
    group = f"cn=painters,ou=teams,{SUFFIX}"
    configure(world, corp, far["id"], user_enabled_emulation=True, user_enabled_emulation_dn=group)
    corp.change("cn=painters,ou=teams", member=[dn("BOB").replace(",", ", ")])
    mirror(world, far["id"])
    assert {n: u["enabled"] for n, u in people(world, far).items()} == {"ann": False, "bob": True}


def test_ids_outlive_moves_renames_and_absence(world: World, far: dict[str, Any], corp: Slapd) -> None:
    project, before = world.project(), people(world, far)
    world.grant(f"/projects/{project['id']}/users/{before['ann']['id']}/roles/{world.roles['member']}")
    configure(world, corp, far["id"], user_name_attribute="cn")
    mirror(world, far["id"])
    assert {n: u["id"] for n, u in people(world, far).items()} == {
        "Ann": before["ann"]["id"], "Bob": before["bob"]["id"]
    }  # fmt: skip
    corp.change("uid=ann,ou=people", cn=["Bob"])
    corp.change("uid=bob,ou=people", cn=["Ann"])
    mirror(world, far["id"])
    assert people(world, far)["Bob"]["id"] == before["ann"]["id"]
    corp.delete("uid=ann,ou=people")
    mirror(world, far["id"])
    gone = world.admin.get(f"/users/{before['ann']['id']}").body["user"]
    assert gone["enabled"] is False
    assert enter(world, far, "Bob", "pw-ann").status == 401
    person(corp, "ann")
    mirror(world, far["id"])
    assert world.admin.get(f"/users/{before['ann']['id']}").body["user"]["enabled"] is True
    scope = {"project": {"id": project["id"]}}
    assert enter(world, far, "Ann", "pw-ann", scope).status == 401  # Two of this name: nobody guesses.
    corp.change("uid=bob,ou=people", cn=["Bob"])
    assert enter(world, far, "Ann", "pw-ann", scope).status == 201


def test_nothing_is_written_to_a_directory(world: World, far: dict[str, Any]) -> None:
    ann = people(world, far)["ann"]
    (team,) = world.admin.get(f"/groups?domain_id={far['id']}").body["groups"]
    refused = [
        world.admin.post("/users", {"user": {"name": "new", "domain_id": far["id"]}}),
        world.admin.patch(f"/users/{ann['id']}", {"user": {"name": "x"}}),
        world.admin.patch(f"/users/{ann['id']}", {"user": {"password": "x"}}),
        world.admin.patch(f"/users/{ann['id']}", {"user": {"enabled": False}}),
        world.admin.delete(f"/users/{ann['id']}"),
        world.admin.post("/groups", {"group": {"name": "new", "domain_id": far["id"]}}),
        world.admin.patch(f"/groups/{team['id']}", {"group": {"name": "x"}}),
        world.admin.delete(f"/groups/{team['id']}"),
        world.admin.put(f"/groups/{team['id']}/users/{people(world, far)['bob']['id']}"),
        world.admin.delete(f"/groups/{team['id']}/users/{ann['id']}"),
    ]
    assert [reply.status for reply in refused] == [403] * len(refused)
    change = {"user": {"original_password": "pw-ann", "password": "new"}}
    assert world.admin.anonymous().post(f"/users/{ann['id']}/password", change).status == 401
    project = world.project()
    kept = world.admin.patch(f"/users/{ann['id']}", {"user": {"default_project_id": project["id"]}})
    assert kept.body["user"]["default_project_id"] == project["id"]


def test_a_team_that_vanishes_loses_its_members_and_may_be_deleted(
    world: World, far: dict[str, Any], corp: Slapd
) -> None:
    (team,) = world.admin.get(f"/groups?domain_id={far['id']}").body["groups"]
    corp.delete("cn=painters,ou=teams")
    mirror(world, far["id"])
    assert world.admin.get(f"/groups/{team['id']}/users").body["users"] == []
    assert world.admin.delete(f"/groups/{team['id']}").status == 204


def test_without_its_configuration_the_domain_lets_nobody_in(world: World, far: dict[str, Any]) -> None:
    me = with_token(world.admin, token_of(enter(world, far, "ann", "pw-ann")))
    assert world.admin.delete(f"/domains/{far['id']}/config").status == 204
    assert enter(world, far, "ann", "pw-ann").status == 401
    mirror(world, far["id"])
    assert me.get("/auth/projects").status == 401
    assert world.admin.delete(f"/users/{people(world, far)['ann']['id']}").status == 204


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # The library drops open sockets.
def test_a_directory_that_does_not_answer_well_changes_nothing(
    world: World, far: dict[str, Any], corp: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = people(world, far)
    for change in (
        {"url": "ldap://127.0.0.1:9"}, {"password": "wrong"}, {"url": "ldap://192.0.2.1"}, {"url": "http://x"},
        {"tls_req_cert": "never"}, {"user_enabled_invert": "perhaps"}, {"page_size": "many"},
    ):  # fmt: skip
        configure(world, corp, far["id"], **change)
        with pytest.raises(Unavailable):
            mirror(world, far["id"])
        assert enter(world, far, "ann", "pw-ann").status == 503, change
    configure(world, corp, far["id"])
    monkeypatch.setattr(ldap, "ENTRIES_LIMIT", 1)
    with pytest.raises(Unavailable, match="more than"):
        mirror(world, far["id"])
    assert people(world, far) == before


def test_many_entries_come_page_by_page(world: World, far: dict[str, Any], corp: Slapd) -> None:
    for number in range(25):
        person(corp, f"p{number}")
    mirror(world, far["id"])
    assert len(people(world, far)) == 27
    mirror(world, far["id"])
    assert len(people(world, far)) == 27


@pytest.mark.filterwarnings("ignore:ssl.match_hostname", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_is_checked(
    world: World, far: dict[str, Any], corp: Slapd, certificates: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    authority, _, _ = certificates
    stranger, _, _ = make_authority(tmp_path)
    good: list[dict[str, Any]] = [{"url": f"ldaps://127.0.0.1:{corp.tls_port}"}, {"use_tls": True}]
    for options in good:
        configure(world, corp, far["id"], tls_cacertfile=str(authority), **options)
        assert enter(world, far, "ann", "pw-ann").status == 201, options
        configure(world, corp, far["id"], tls_cacertfile=str(stranger), **options)
        assert enter(world, far, "ann", "pw-ann").status == 503, options


def test_a_filter_keeps_others_out(world: World, far: dict[str, Any], corp: Slapd) -> None:
    configure(world, corp, far["id"], user_filter="(mail=bob@corp.example)")
    assert enter(world, far, "ann", "pw-ann").status == 401
    assert enter(world, far, "bob", "pw-bob").status == 201


def test_a_domain_of_a_directory_can_be_deleted(world: World, far: dict[str, Any]) -> None:
    path = f"/domains/{far['id']}"
    assert world.admin.patch(path, {"domain": {"enabled": False}}).status == 200
    assert world.admin.delete(path).status == 204
    assert reconcile._sweep is not None
    assert world.admin.database.read(reconcile._sweep) == []
    mirror(world, far["id"])


def test_a_second_factor_is_asked_for_as_well(world: World, far: dict[str, Any]) -> None:
    from tests.contract.identity.test_multi_factor import SECRET, now_code

    ann = people(world, far)["ann"]
    rules = {"user": {"options": {"multi_factor_auth_rules": [["password", "totp"]]}}}
    assert world.admin.patch(f"/users/{ann['id']}", rules).status == 200
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=ann["id"])
    first = enter(world, far, "ann", "pw-ann")
    assert first.body["required_auth_methods"] == [["password", "totp"]]
    receipt = next(v for n, v in first.headers.items() if n.lower() == "openstack-auth-receipt")
    holder = replace(world.admin, headers={"Openstack-Auth-Receipt": receipt})
    code = {"methods": ["totp"], "totp": {"user": {"id": ann["id"], "passcode": now_code()}}}
    assert log_in(holder, code, "unscoped").status == 201
