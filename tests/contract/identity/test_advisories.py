"""Classes of errors that clouds of this kind had (research/operators.md, 4.2), as far as they touch identity.

Each test is named after its class. Classes 1 to 3 and 11 to 15 belong to other services.
"""

import logging
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from pilvi.identity import passwords, settings
from pilvi.identity.application_credentials import service as application_credentials
from pilvi.identity.credentials import service as credentials
from pilvi.identity.drivers.oidc import Oidc
from pilvi.identity.epochs import service as epochs
from pilvi.identity.issuers import Issuer
from pilvi.identity.routes import all_routes
from pilvi.identity.trusts import service as trusts
from pilvi.kernel.errors import Unavailable
from tests.contract.client import Client, Reply
from tests.contract.identity.conftest import World, by_password, log_in, token_of, validate, with_token
from tests.contract.identity.test_login_rules import later as later
from tests.contract.identity.test_login_rules import rules as rules

S3_TEXT = b"GET\n\n\nSun, 22 Nov 2026 15:00:00 GMT\n/bucket/key"


def by_credential(made: dict[str, Any]) -> dict[str, Any]:
    method = "application_credential"
    return {"methods": [method], method: {"id": made["id"], "secret": made["secret"]}}


def make_credential(me: Client, user: dict[str, Any], name: str = "robot", **more: Any) -> Reply:
    body = {"application_credential": {"name": name, **more}}
    return me.post(f"/users/{user['id']}/application_credentials", body)


def exchange(world: World, pair: dict[str, Any]) -> Reply:
    """The token that a service gets for an EC2 pair."""
    import hmac
    from hashlib import sha1

    signature = b64encode(hmac.new(pair["secret"].encode(), S3_TEXT, sha1).digest()).decode()
    given = {"access": pair["access"], "token": b64encode(S3_TEXT).decode(), "signature": signature}
    return world.admin.post("/s3tokens", {"credentials": given})


def roles_in(reply: Reply) -> set[str]:
    assert reply.status in (200, 201), reply.content
    return {role["name"] for role in reply.body["token"]["roles"]}


@pytest.fixture
def boss(world: World) -> tuple[Client, dict[str, Any], dict[str, Any]]:
    """A manager of a project, with a token, the user and the project."""
    user, project = world.member("boss", "manager")
    return with_token(world.admin, world.project_token(user, project)), user, project


# ---- 4: requests that a server is made to send -------------------------------------------------------------------


class _Elsewhere(BaseHTTPRequestHandler):
    asked: list[str]
    answer: Callable[["_Elsewhere"], None]

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self.asked.append(self.path)
        type(self).answer(self)


@pytest.fixture
def elsewhere() -> Any:
    handler: Any = type("Elsewhere", (_Elsewhere,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_class_4_a_provider_cannot_send_us_elsewhere(elsewhere: Any) -> None:
    handler, url = elsewhere

    def redirect(self: Any) -> None:
        self.send_response(302)
        self.send_header("Location", f"{url}/metadata")
        self.end_headers()

    handler.answer = redirect
    with pytest.raises(Unavailable):
        Oidc(Issuer("corp", url, "pilvi")).authorization_url({})
    assert handler.asked == ["/.well-known/openid-configuration"]


def test_class_4_and_19_an_endless_answer_of_a_provider_ends(elsewhere: Any) -> None:
    handler, url = elsewhere

    def endless(self: Any) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b" " * 65536)
        except OSError:
            return

    handler.answer = endless
    with pytest.raises(Unavailable, match="too large"):
        Oidc(Issuer("corp", url, "pilvi")).authorization_url({})


# ---- 5: delegated rights exceed what they come from --------------------------------------------------------------


def test_class_5_a_restricted_credential_makes_nothing(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user).body["application_credential"]
    narrow = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    ec2 = {"type": "ec2", "blob": '{"access": "a", "secret": "s"}', "project_id": project["id"], "user_id": user["id"]}
    trust = {"trustor_user_id": user["id"], "trustee_user_id": user["id"], "impersonation": True}
    replies = [
        make_credential(narrow, user, "child"),
        narrow.delete(f"/users/{user['id']}/application_credentials/{made['id']}"),
        narrow.post("/credentials", {"credential": ec2}),
        narrow.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]}),
        narrow.post("/OS-TRUST/trusts", {"trust": trust}),
    ]
    assert [reply.status for reply in replies] == [403] * 5


def test_class_5_a_token_of_handed_on_rights_is_not_exchanged(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user, unrestricted=True, roles=[{"name": "reader"}]).body["application_credential"]
    narrow = token_of(log_in(world.admin, by_credential(made)))
    body = {"methods": ["token"], "token": {"id": narrow}}
    assert log_in(world.admin, body, {"project": {"id": project["id"]}}).status == 403


def test_class_5_children_of_a_credential_never_have_more_and_end_with_it(world: World, boss: Any) -> None:
    me, user, _ = boss
    rules = [{"service": "identity", "method": "POST", "path": "/v3/**"}]
    parent = make_credential(
        me, user, unrestricted=True, roles=[{"name": "reader"}], expires_at="2099-01-01T00:00:00", access_rules=rules
    ).body["application_credential"]
    narrow = with_token(world.admin, token_of(log_in(world.admin, by_credential(parent))))
    assert make_credential(narrow, user, "more", roles=[{"name": "manager"}]).status == 400
    wider = [{"service": "compute", "method": "GET", "path": "/**"}]
    assert make_credential(narrow, user, "wider", access_rules=wider).status == 403
    reply = make_credential(narrow, user, "child", expires_at="2199-01-01T00:00:00")
    child = reply.body["application_credential"]
    assert child["expires_at"].startswith("2099-01-01")
    assert [rule["path"] for rule in child["access_rules"]] == ["/v3/**"]
    grown = log_in(world.admin, by_credential(child))
    assert roles_in(grown) == {"reader"}
    assert me.delete(f"/users/{user['id']}/application_credentials/{parent['id']}").status == 204
    assert log_in(world.admin, by_credential(child)).status == 401
    assert validate(world.admin, token_of(grown)).status == 404


def test_class_5_an_ec2_pair_keeps_to_the_credential_that_made_it(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user, unrestricted=True, roles=[{"name": "reader"}]).body["application_credential"]
    narrow = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    path = f"/users/{user['id']}/credentials/OS-EC2"
    pair = narrow.post(path, {"tenant_id": project["id"]}).body["credential"]
    own = {"access": "own", "secret": "own"}
    body = {"type": "ec2", "blob": orjson.dumps(own).decode(), "project_id": project["id"], "user_id": user["id"]}
    chosen = narrow.post("/credentials", {"credential": body})
    assert chosen.status == 201, chosen.content
    for one in (pair, own):
        assert roles_in(exchange(world, one)) == {"reader"}
    wash = {"blob": orjson.dumps({**own, "app_cred_id": None}).decode()}
    assert me.patch(f"/credentials/{chosen.body['credential']['id']}", {"credential": wash}).status == 200
    assert roles_in(exchange(world, own)) == {"reader"}
    other = world.project("other-lab")
    assert narrow.post(path, {"tenant_id": other["id"]}).status == 403
    full = me.post(path, {"tenant_id": project["id"]}).body["credential"]
    assert roles_in(exchange(world, full)) == {"manager", "member", "reader"}
    assert me.delete(f"/users/{user['id']}/application_credentials/{made['id']}").status == 204
    assert exchange(world, pair).status == 401
    assert exchange(world, full).status == 200


def make_trust(me: Client, trustor: dict[str, Any], trustee: dict[str, Any], project: Any, role: str) -> Reply:
    body = {
        "trustor_user_id": trustor["id"], "trustee_user_id": trustee["id"], "project_id": project["id"],
        "impersonation": True, "roles": [{"name": role}],
    }  # fmt: skip
    return me.post("/OS-TRUST/trusts", {"trust": body})


def test_class_5_a_trust_is_no_way_around_its_roles(world: World, boss: Any) -> None:
    me, user, project = boss
    helper = world.user("helper")
    trust = make_trust(me, user, helper, project, "reader").body["trust"]
    scope = {"OS-TRUST:trust": {"id": trust["id"]}}
    held = log_in(world.admin, by_password(helper["id"], "secret"), scope)
    assert roles_in(held) == {"reader"}
    acting = with_token(world.admin, token_of(held))
    assert make_credential(acting, user).status == 403
    assert make_trust(acting, user, helper, project, "manager").status == 403
    pair = acting.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]}).body["credential"]
    assert roles_in(exchange(world, pair)) == {"reader"}
    assert me.delete(f"/OS-TRUST/trusts/{trust['id']}").status == 204
    assert exchange(world, pair).status == 401
    assert acting.get("/auth/projects").status == 401


def test_class_5_a_credential_hands_on_no_role_that_it_lacks(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user, unrestricted=True, roles=[{"name": "reader"}]).body["application_credential"]
    narrow = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    helper = world.user("helper")
    assert make_trust(narrow, user, helper, project, "manager").status == 403
    assert make_trust(narrow, user, helper, project, "reader").status == 201
    other = world.project("other-lab")
    world.grant(f"/projects/{other['id']}/users/{user['id']}/roles/{world.roles['reader']}")
    assert make_trust(narrow, user, helper, other, "reader").status == 403


def test_class_5_taking_a_role_away_takes_it_from_everything_delegated(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user).body["application_credential"]
    held = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    grant = f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['manager']}"
    world.grant(grant.replace(world.roles["manager"], world.roles["reader"]))
    assert world.admin.delete(grant).status == 204
    assert roles_in(log_in(world.admin, by_credential(made))) == {"reader"}
    assert roles_in(validate(world.admin, held.token or "")) == {"reader"}


# ---- 6: signatures checked for anybody ---------------------------------------------------------------------------


def test_class_6_only_services_learn_whether_a_signature_is_right(world: World, boss: Any) -> None:
    me, user, project = boss
    pair = me.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]}).body["credential"]
    for path in ("/s3tokens", "/ec2tokens"):
        body = {"credentials": {"access": pair["access"], "token": "x", "signature": "x"}}
        assert world.admin.anonymous().post(path, body).status == 401
        assert me.post(path, body).status == 403
    unknown = exchange(world, {"access": "unknown", "secret": "x"})
    wrong = exchange(world, {**pair, "secret": "x"})
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)


# ---- 7: identity in headers --------------------------------------------------------------------------------------

FORGED = {
    "X-User-Id": "x", "X-Roles": "admin", "X-Project-Id": "x", "X-Identity-Status": "Confirmed", "Remote-User": "admin",
    "X-Is-Admin-Project": "True", "OpenStack-System-Scope": "all", "X-Domain-Id": "default", "X-Pilvi-Host": "node",
    "X-Forwarded-User": "admin", "OIDC-sub": "admin", "X-Remote-User": "admin", "X-Service-Roles": "service",
}  # fmt: skip


def test_class_7_headers_say_nothing_about_who_asks(world: World) -> None:
    user, project = world.member()
    token = world.project_token(user, project)
    anonymous = replace(world.admin.anonymous(), headers=FORGED)
    assert anonymous.get("/users").status == 401
    assert anonymous.at("/agent/v1").get("/state").status in (401, 404)
    forged = replace(with_token(world.admin, token), headers=FORGED)
    assert forged.get("/users").status == 403
    assert forged.get(f"/users/{user['id']}").status == 200
    body = {"auth": {"identity": {"methods": ["external"]}}}
    assert anonymous.post("/auth/tokens", body).status == 401


# ---- 8: who is out stays out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["user", "domain", "project", "grant", "password", "revoke all", "delete"])
def test_class_8_rights_end_with_the_next_call(world: World, change: str) -> None:
    far = world.domain()
    user, project = world.user("eve", domain_id=far["id"]), world.project("far-lab", domain_id=far["id"])
    grant = f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['member']}"
    world.grant(grant)
    me = with_token(world.admin, world.project_token(user, project))
    made = make_credential(me, user).body["application_credential"]
    held = with_token(world.admin, token_of(log_in(world.admin, by_credential(made))))
    assert [one.get("/auth/catalog").status for one in (me, held)] == [200, 200]
    admin = world.admin
    changes: dict[str, Callable[[], Reply]] = {
        "user": lambda: admin.patch(f"/users/{user['id']}", {"user": {"enabled": False}}),
        "domain": lambda: admin.patch(f"/domains/{far['id']}", {"domain": {"enabled": False}}),
        "project": lambda: admin.patch(f"/projects/{project['id']}", {"project": {"enabled": False}}),
        "grant": lambda: admin.delete(grant),
        "password": lambda: admin.patch(f"/users/{user['id']}", {"user": {"password": "new"}}),
        "revoke all": lambda: admin.delete(f"/users/{user['id']}/tokens"),
        "delete": lambda: admin.delete(f"/users/{user['id']}"),
    }
    assert changes[change]().status in (200, 204)
    assert [one.get("/auth/catalog").status for one in (me, held)] == [401, 401]


def test_class_8_enabling_again_brings_no_old_token_back(world: World) -> None:
    user, project = world.member()
    me = with_token(world.admin, world.project_token(user, project))
    for enabled in (False, True):
        assert world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": enabled}}).status == 200
    assert me.get("/auth/catalog").status == 401


@pytest.mark.parametrize("value", ["false", "False", 0, "no", None, "", []])
def test_class_8_enabled_is_a_boolean_or_refused(world: World, value: Any) -> None:
    user = world.user()
    assert world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": value}}).status == 400
    assert world.admin.patch("/domains/default", {"domain": {"enabled": value}}).status == 400


def test_class_8_a_revoked_token_is_dead_for_good_and_alone(world: World) -> None:
    user, project = world.member()
    first, second = world.project_token(user, project), world.project_token(user, project)
    mine = with_token(world.admin, first)
    assert mine.delete("/auth/tokens", headers={"X-Subject-Token": first}).status == 204
    assert mine.get("/auth/projects").status == 401
    assert validate(world.admin, first, "?allow_expired=1").status == 404
    assert with_token(world.admin, second).get("/auth/projects").status == 200


# ---- 9 and 10: every object and every route has its rule ---------------------------------------------------------


def test_class_9_what_belongs_to_others_stays_theirs(world: World, boss: Any) -> None:
    me, user, project = boss
    made = make_credential(me, user).body["application_credential"]
    secret = me.post("/credentials", {"credential": {"type": "cert", "blob": "mine", "user_id": user["id"]}})
    id = secret.body["credential"]["id"]
    thief, lab = world.member("thief", "manager")
    them = with_token(world.admin, world.project_token(thief, lab))
    blob = {"credential": {"type": "cert", "blob": "x", "user_id": user["id"]}}
    replies = [
        them.get(f"/credentials/{id}"), them.patch(f"/credentials/{id}", {"credential": {"blob": "x"}}),
        them.patch(f"/credentials/{id}", {"credential": {"user_id": thief["id"]}}), them.delete(f"/credentials/{id}"),
        them.post("/credentials", blob), them.get(f"/credentials?user_id={user['id']}"),
        them.get(f"/users/{user['id']}/application_credentials"),
        them.get(f"/users/{user['id']}/application_credentials/{made['id']}"),
        them.delete(f"/users/{user['id']}/application_credentials/{made['id']}"),
        them.get(f"/users/{user['id']}/access_rules"), them.get(f"/users/{user['id']}/credentials/OS-EC2"),
        them.put(f"/projects/{project['id']}/tags/stolen"), them.get(f"/projects/{project['id']}"),
        them.get(f"/users/{user['id']}"), them.get(f"/users/{user['id']}/projects"),
        them.delete(f"/users/{user['id']}/tokens"), make_trust(them, user, thief, project, "manager"),
    ]  # fmt: skip
    assert [reply.status for reply in replies] == [403] * len(replies)
    own = them.post("/credentials", {"credential": {"type": "cert", "blob": "t", "user_id": thief["id"]}})
    moved = them.patch(f"/credentials/{own.body['credential']['id']}", {"credential": {"user_id": user["id"]}})
    assert moved.status == 403


OPEN = {
    "GET ", "GET /v3", "POST /v3/auth/tokens", "POST /v3/users/{id}/password",
    "GET /v3/auth/OS-FEDERATION/websso/callback",
    "POST /v3/OS-OAUTH1/request_token", "POST /v3/OS-OAUTH1/access_token", "POST /v3/OS-OAUTH2/token",
    "GET /v3/OS-FEDERATION/saml2/metadata",
    "POST /v3/auth/OS-FEDERATION/saml2", "POST /v3/auth/OS-FEDERATION/saml2/ecp",
    *(f"{verb} /v3/auth/OS-FEDERATION/websso/{{protocol_id}}" for verb in ("GET", "POST")),
    *(
        f"{verb} /v3{path}"
        for verb in ("GET", "POST")
        for path in (
            "/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth",
            "/auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso",
        )
    ),
}  # fmt: skip


def test_class_10_every_route_has_a_rule_but_those_that_open_the_door() -> None:
    bare = {r.name for r in all_routes() if (r.rule is None or r.auth != "token") and r.method != "HEAD"}
    assert bare - OPEN == set()


# ---- 16: secrets where they do not belong ------------------------------------------------------------------------


def test_class_16_no_secret_in_events_logs_or_answers(
    world: World, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    caplog.set_level(logging.DEBUG)
    user, project = world.user("eve", password="canary-password"), world.project()
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['member']}")
    token = world.token(user, {"project": {"id": project["id"]}}, "canary-password")
    me = with_token(world.admin, token)
    made = make_credential(me, user, secret="canary-secret").body["application_credential"]
    me.post("/credentials", {"credential": {"type": "cert", "blob": "canary-blob", "user_id": user["id"]}})
    change = {"user": {"original_password": "canary-password", "password": "canary-new"}}
    assert world.admin.anonymous().post(f"/users/{user['id']}/password", change).status == 204
    log_in(world.admin, by_password(user["id"], "canary-wrong"))
    wrong = log_in(world.admin, {"methods": ["password"], "password": {"user": {"id": 7, "password": "canary-7"}}})
    assert wrong.status == 400
    shown = me.get(f"/users/{user['id']}/application_credentials/{made['id']}").content + wrong.content
    events = world.admin.database.read(_events)
    logs = caplog.text + "".join(p.read_text() for p in Path(tmp_path_factory.getbasetemp()).rglob("*.log*"))
    for text in (events, logs, shown.decode()):
        assert "canary" not in text.replace("canary-lab", "")
        assert token not in text
    assert "POST" in events


def _events(tx: Any) -> str:
    from pilvi.kernel import facts

    table: Any = facts.events
    return repr([row._asdict() for row in tx.all(table.select())])


# ---- 17: races ---------------------------------------------------------------------------------------------------


def at_once(count: int, work: Callable[[], Reply]) -> list[int]:
    found: list[int] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait(30)
        found.append(work().status)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(found)


def test_class_17_a_trust_is_used_as_often_as_it_says(world: World, boss: Any) -> None:
    me, user, project = boss
    helper = world.user("helper")
    body = {
        "trustor_user_id": user["id"], "trustee_user_id": helper["id"], "project_id": project["id"],
        "impersonation": True, "roles": [{"name": "reader"}], "remaining_uses": 2,
    }  # fmt: skip
    trust = me.post("/OS-TRUST/trusts", {"trust": body}).body["trust"]
    scope = {"OS-TRUST:trust": {"id": trust["id"]}}
    held = world.token(helper, "unscoped")
    statuses = at_once(6, lambda: log_in(world.admin, {"methods": ["token"], "token": {"id": held}}, scope))
    assert statuses.count(201) == 2


def test_class_17_a_passcode_is_good_once_even_at_the_same_moment(world: World) -> None:
    from tests.contract.identity.test_multi_factor import SECRET, by_passcode, now_code

    user = world.user()
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    code = now_code()
    statuses = at_once(6, lambda: log_in(world.admin, by_passcode(user["id"], code)))
    assert statuses == [201, 401, 401, 401, 401, 401]


# ---- 18: who exists, and how long it takes -----------------------------------------------------------------------


def test_class_18_unknown_users_and_wrong_passwords_look_the_same(world: World, rules: Callable[..., None]) -> None:
    rules(lockout_failures=100)
    user = world.user()
    off = world.user("off", enabled=False)
    wrong = log_in(world.admin, by_password(user["id"], "x"))
    for other in ("0" * 32, off["id"], "x" * 64):
        assert log_in(world.admin, by_password(other, "x")).body == wrong.body
    named = {"name": "ghost", "domain": {"id": "nowhere"}, "password": "x"}
    assert log_in(world.admin, {"methods": ["password"], "password": {"user": named}}).body == wrong.body


def test_class_18_and_cost_the_same_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow part, with the same parameters, as often for a user who does not exist."""
    user, done = world.user(), []
    matches = passwords._matches

    def counted(password: str, hashed: str) -> bool:
        done.append(hashed.split("$")[1:4])
        return matches(password, hashed)

    monkeypatch.setattr(passwords, "_matches", counted)
    for id in (user["id"], "0" * 32):
        log_in(world.admin, by_password(id, "x"))
    known, unknown = done
    assert known == unknown
    assert known[0] == "argon2id"


def test_class_18_tokens_of_others_are_unknown_like_any_nonsense(world: World) -> None:
    user, project = world.member()
    me = with_token(world.admin, world.project_token(user, project))
    assert validate(me, "nonsense").status == 404
    assert validate(me, world.admin.tokens["admin"]).status == 403


# ---- 19: cheap requests that grow without end --------------------------------------------------------------------


def test_class_19_nobody_hoards_credentials_and_trusts(
    world: World, boss: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, user, project = boss
    helper = world.user("helper")
    monkeypatch.setattr(application_credentials, "MOST_PER_USER", 2)
    monkeypatch.setattr(credentials, "MOST_PER_USER", 2)
    monkeypatch.setattr(trusts, "MOST_PER_USER", 2)
    assert [make_credential(me, user, f"c{i}").status for i in range(3)] == [201, 201, 403]
    blob = {"credential": {"type": "cert", "blob": "b", "user_id": user["id"]}}
    assert [me.post("/credentials", blob).status for _ in range(3)] == [201, 201, 403]
    assert [make_trust(me, user, helper, project, "reader").status for _ in range(3)] == [201, 201, 403]


def test_class_19_bodies_lists_and_passwords_are_bounded(world: World) -> None:
    user = world.user()
    assert log_in(world.admin, by_password(user["id"], "x" * 5000)).status == 400
    many = {"methods": ["password"] * 50, "password": {"user": {"id": user["id"], "password": "x"}}}
    assert log_in(world.admin, many).status == 400
    tags = {"project": {"name": "tagged", "domain_id": "default", "tags": [f"t{i}" for i in range(81)]}}
    assert world.admin.post("/projects", tags).status == 400
    assert world.admin.anonymous().post("/auth/tokens", raw=b" " * (3 * 1024 * 1024)).status == 413
    assert with_token(world.admin, "x" * 100_000).get("/auth/projects").status == 401
    assert world.admin.get("/users?" + "a=1&" * 3000).status == 400


def test_class_19_caches_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "ENTRIES_LIMIT", 50)
    user = world.user()
    for _ in range(80):
        with_token(world.admin, world.token(user, "unscoped")).get("/auth/projects")
    cache = epochs._caches[world.admin.database.compiler]
    assert len(cache._current[1]) <= 50


# ---- 20: files of secrets ----------------------------------------------------------------------------------------


def test_class_20_a_file_of_secrets_that_others_can_read_is_refused(tmp_path: Path) -> None:
    from pilvi.identity.issuers import load
    from pilvi.kernel.config import ConfigError

    path = tmp_path / "oidc.toml"
    path.write_text("[corp]\nissuer = 'https://x'\nclient_id = 'x'\n")
    for mode in (0o644, 0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(ConfigError, match="chmod 600"):
            load(path)
    path.chmod(0o600)
    assert list(load(path)) == ["corp"]
    assert settings.current.issuers == {}
