"""Application credentials, access rules and trusts: delegated rights are the delegator's, as far as they still are."""

from typing import Any

from tests.contract.client import Client
from tests.contract.identity.conftest import World, log_in, token_of, with_token

DAY = "2099-01-01T00:00:00Z"


def by_credential(credential: dict[str, Any]) -> dict[str, Any]:
    given = {"id": credential["id"], "secret": credential["secret"]}
    return {"methods": ["application_credential"], "application_credential": given}


def make(me: Client, user: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"application_credential": {"name": "robot", **more}}
    reply = me.post(f"/users/{user['id']}/application_credentials", body)
    assert reply.status == 201, reply.content
    made: dict[str, Any] = reply.body["application_credential"]
    return made


def me_of(world: World, user: dict[str, Any], project: dict[str, Any]) -> Client:
    return with_token(world.admin, world.project_token(user, project))


def test_a_program_logs_in_with_the_secret_and_the_chosen_roles(world: World) -> None:
    user, project = world.member()
    me = me_of(world, user, project)
    made = make(me, user, roles=[{"name": "reader"}], expires_at=DAY)
    assert made["project_id"] == project["id"]
    reply = log_in(world.admin, by_credential(made))
    token = reply.body["token"]
    assert [r["name"] for r in token["roles"]] == ["reader"]
    assert token["methods"] == ["application_credential"]
    assert token["application_credential"] == {"id": made["id"], "name": "robot", "restricted": True}
    shown = me.get(f"/users/{user['id']}/application_credentials/{made['id']}").body["application_credential"]
    assert "secret" not in shown
    named = {"name": "robot", "secret": made["secret"], "user": {"id": user["id"]}}
    identity = {"methods": ["application_credential"], "application_credential": named}
    assert log_in(world.admin, identity).status == 201
    assert log_in(world.admin, identity, {"project": {"id": project["id"]}}).status == 401
    assert log_in(world.admin, by_credential({**made, "secret": "wrong"})).status == 401


def test_a_secret_of_ones_own_opens_too(world: World) -> None:
    user, project = world.member()
    made = make(me_of(world, user, project), user, secret="rather weak")
    assert made["secret"] == "rather weak"
    assert log_in(world.admin, by_credential(made)).status == 201


def test_a_restricted_credential_breeds_no_other(world: World) -> None:
    user, project = world.member()
    me = me_of(world, user, project)
    restricted = with_token(world.admin, token_of(log_in(world.admin, by_credential(make(me, user)))))
    body = {"application_credential": {"name": "child"}}
    assert restricted.post(f"/users/{user['id']}/application_credentials", body).status == 403
    assert restricted.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]}).status == 403
    free = make(me, user, name="free", unrestricted=True)
    unrestricted = with_token(world.admin, token_of(log_in(world.admin, by_credential(free))))
    assert unrestricted.post(f"/users/{user['id']}/application_credentials", body).status == 201


def test_bad_requests_are_refused(world: World) -> None:
    user, project = world.member()
    me = me_of(world, user, project)
    path = f"/users/{user['id']}/application_credentials"

    def ask(**more: Any) -> int:
        return me.post(path, {"application_credential": {"name": "x", **more}}).status

    assert ask(roles=[{"name": "admin"}]) == 400
    assert ask(expires_at="2001-01-01T00:00:00Z") == 400
    assert ask(expires_at="soon") == 400
    assert ask(roles=[{}]) == 400
    assert ask(access_rules=[{"path": "x", "method": "GET", "service": "compute"}]) == 400
    assert ask() == 201
    assert ask() == 409
    assert world.admin.post(path, {"application_credential": {"name": "y"}}).status == 403


def test_the_token_loses_what_the_user_loses(world: World) -> None:
    user, project = world.member()
    made = make(me_of(world, user, project), user)
    token = token_of(log_in(world.admin, by_credential(made)))
    program = with_token(world.admin, token)
    assert program.get("/auth/catalog").status == 200
    world.admin.delete(f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['member']}")
    assert program.get("/auth/catalog").status == 401
    assert log_in(world.admin, by_credential(made)).status == 401


def test_a_deleted_credential_takes_its_tokens_along(world: World) -> None:
    user, project = world.member()
    me = me_of(world, user, project)
    made = make(me, user)
    program = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    assert me.delete(f"/users/{user['id']}/application_credentials/{made['id']}").status == 204
    assert program.get("/auth/catalog").status == 401


def test_access_rules_are_kept_once_and_stay_while_in_use(world: World) -> None:
    user, project = world.member()
    me = me_of(world, user, project)
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    made = make(me, user, access_rules=[rule])
    (kept,) = made["access_rules"]
    again = make(me, user, name="again", access_rules=[{"id": kept["id"]}])
    path = f"/users/{user['id']}/access_rules"
    assert [r["id"] for r in me.get(path).body["access_rules"]] == [kept["id"]]
    assert me.delete(f"{path}/{kept['id']}").status == 403
    for each in (made, again):
        me.delete(f"/users/{user['id']}/application_credentials/{each['id']}")
    assert me.delete(f"{path}/{kept['id']}").status == 204
    assert me.get(f"{path}/{kept['id']}").status == 404


def trust(me: Client, trustor: dict[str, Any], trustee: dict[str, Any], **more: Any) -> Any:
    body = {"trustor_user_id": trustor["id"], "trustee_user_id": trustee["id"], "impersonation": True, **more}
    return me.post("/OS-TRUST/trusts", {"trust": body})


def by_token(token: str) -> dict[str, Any]:
    return {"methods": ["token"], "token": {"id": token}}


def test_a_trust_lets_another_act_as_far_as_the_trustor_may(world: World) -> None:
    ann, lab = world.member()
    bob = world.user("bob")
    me = me_of(world, ann, lab)
    made = trust(me, ann, bob, project_id=lab["id"], roles=[{"name": "reader"}], remaining_uses=2).body["trust"]
    bobs = world.token(bob, "unscoped")
    scope = {"OS-TRUST:trust": {"id": made["id"]}}
    reply = log_in(world.admin, by_token(bobs), scope)
    token = reply.body["token"]
    assert token["user"]["id"] == ann["id"]
    assert [r["name"] for r in token["roles"]] == ["reader"]
    assert token["OS-TRUST:trust"]["trustee_user"] == {"id": bob["id"]}
    acting = with_token(world.admin, token_of(reply))
    assert acting.get(f"/projects/{lab['id']}").status == 200
    assert log_in(world.admin, by_token(token_of(reply)), {"project": {"id": lab["id"]}}).status == 403
    assert log_in(world.admin, by_token(bobs), scope).status == 201
    assert log_in(world.admin, by_token(bobs), scope).status == 401
    assert log_in(world.admin, by_token(world.token(ann, "unscoped")), scope).status in (401, 403)
    world.admin.patch(f"/users/{bob['id']}", {"user": {"enabled": False}})
    assert acting.get(f"/projects/{lab['id']}").status == 401


def test_a_trust_gives_only_what_the_trustor_has_and_only_in_the_own_name(world: World) -> None:
    ann, lab = world.member()
    bob = world.user("bob")
    me = me_of(world, ann, lab)
    assert trust(me, ann, bob, project_id=lab["id"], roles=[{"name": "admin"}]).status == 403
    assert trust(me, bob, ann, project_id=lab["id"], roles=[{"name": "reader"}]).status == 403
    assert trust(me, ann, bob, project_id=lab["id"], roles=[]).status == 403
    assert trust(me, ann, {"id": "0" * 32}, project_id=lab["id"], roles=[{"name": "reader"}]).status == 404
    assert trust(me, ann, bob, expires_at="2001-01-01T00:00:00Z").status == 400
    assert trust(me, ann, bob, remaining_uses=0).status == 400


def test_trusts_are_shown_to_their_parties_and_end_when_deleted(world: World) -> None:
    ann, lab = world.member()
    bob, eve = world.user("bob"), world.user("eve")
    me = me_of(world, ann, lab)
    made = trust(me, ann, bob, project_id=lab["id"], roles=[{"name": "member"}]).body["trust"]
    path = f"/OS-TRUST/trusts/{made['id']}"
    assert [r["name"] for r in made["roles"]] == ["member"]
    assert with_token(world.admin, world.token(bob, "unscoped")).get(path).status == 200
    assert with_token(world.admin, world.token(eve, "unscoped")).get(path).status == 403
    assert [t["id"] for t in me.get(f"/OS-TRUST/trusts?trustor_user_id={ann['id']}").body["trusts"]] == [made["id"]]
    assert me.get("/OS-TRUST/trusts").status == 403
    role = world.roles["member"]
    assert me.request("HEAD", f"{path}/roles/{role}").status == 200
    assert [r["name"] for r in me.get(f"{path}/roles").body["roles"]] == ["member"]
    assert me.delete(path).status == 204
    assert me.get(path).status == 404


def test_a_trust_is_handed_on_within_bounds(world: World) -> None:
    ann, lab = world.member()
    bob, eve = world.user("bob"), world.user("eve")
    me = me_of(world, ann, lab)
    more = {"project_id": lab["id"], "roles": [{"name": "reader"}], "expires_at": DAY}
    first = trust(me, ann, bob, **more, allow_redelegation=True, redelegation_count=1).body["trust"]
    scope = {"OS-TRUST:trust": {"id": first["id"]}}
    acting = with_token(world.admin, token_of(log_in(world.admin, by_token(world.token(bob, "unscoped")), scope)))
    second = trust(acting, ann, eve, **more)
    assert second.status == 201, second.content
    assert second.body["trust"]["redelegated_trust_id"] == first["id"]
    assert second.body["trust"]["redelegation_count"] == 0
    later = {**more, "expires_at": "2100-01-01T00:00:00Z"}
    assert trust(acting, ann, eve, **later).status == 403
    assert trust(acting, ann, eve, **{**more, "roles": [{"name": "member"}]}).status == 403
    assert me.delete(f"/OS-TRUST/trusts/{first['id']}").status == 204
    eves = with_token(world.admin, world.token(eve, "unscoped"))
    assert eves.get(f"/OS-TRUST/trusts/{second.body['trust']['id']}").status == 404


def test_an_empty_list_of_rules_restricts_nothing_and_widens_nothing(world: World) -> None:
    """The stock client sends one with every credential that was made without rules."""
    user, project = world.member()
    me = me_of(world, user, project)
    made = make(me, user, access_rules=[])
    assert "access_rules" not in made
    token = token_of(log_in(world.admin, by_credential(made)))
    assert with_token(world.admin, token).get("/auth/projects").status == 200
    rule = {"path": "/v3/**", "method": "POST", "service": "identity"}
    narrow = make(me, user, name="narrow", access_rules=[rule], unrestricted=True)
    parent = with_token(world.admin, token_of(log_in(world.admin, by_credential(narrow))))
    child = make(parent, user, name="child", access_rules=[])
    assert [rule["method"] for rule in child["access_rules"]] == ["POST"]
