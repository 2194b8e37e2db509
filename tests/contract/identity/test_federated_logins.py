"""Users of an identity provider come in: bearer tokens, browsers, keystoneauth's own plugins; and go out again."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from keystoneauth1.identity.v3 import OidcAccessToken, OidcPassword
from keystoneauth1.session import Session

from pilvi.identity import settings
from pilvi.identity.federated_logins import stream
from pilvi.identity.issuers import Issuer
from pilvi.kernel.config import Secret
from tests.contract.client import Reply
from tests.contract.identity import oidc_provider
from tests.contract.identity.conftest import World, by_password, log_in, token_of, validate, with_token
from tests.contract.identity.oidc_provider import CLIENT, SECRET, Provider
from tests.contract.identity.test_login_rules import later as later

DASHBOARD = "https://dashboard.example/auth/websso/"
RULES: list[dict[str, Any]] = [
    {
        "local": [{"user": {"name": "{0}", "email": "{1}"}}],
        "remote": [{"type": "HTTP_OIDC_SUB"}, {"type": "OIDC-email"}],
    },
    {
        "local": [{"groups": "{0}", "domain": {"id": "default"}}],
        "remote": [{"type": "groups", "whitelist": ["staff", "admins"]}],
    },
]
PATH = "/OS-FEDERATION/identity_providers/corp/protocols/openid"


@pytest.fixture(scope="module")
def provider_server() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(provider_server: Provider) -> Iterator[Provider]:
    former = {
        name: value.copy() if isinstance(value, dict | list) else value for name, value in vars(provider_server).items()
    }
    yield provider_server
    vars(provider_server).update(former)


@pytest.fixture
def issuer(provider: Provider) -> Iterator[Callable[..., None]]:
    """The operator's file; call it to change it."""

    def use(**changed: Any) -> None:
        values: dict[str, Any] = {"client_secret": Secret(SECRET), **changed}
        settings.current.issuers = {"corp": Issuer("corp", provider.url, CLIENT, **values)}

    use()
    settings.current.dashboards = (DASHBOARD,)
    yield use
    settings.current.issuers, settings.current.dashboards = {}, ()
    stream._clients.clear()


@pytest.fixture
def corp(world: World, issuer: Callable[..., None], provider: Provider) -> World:
    """A cloud with the provider, a group `staff` and a project that the group may read."""
    set_up(world, RULES, provider.url)
    group, project = world.group("staff"), world.project("shared")
    world.grant(f"/projects/{project['id']}/groups/{group['id']}/roles/{world.roles['member']}")
    return world


def set_up(world: World, rules: Any, *remote_ids: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    mapping = {"mapping": {"rules": rules, "schema_version": version}}
    assert world.admin.put("/OS-FEDERATION/mappings/m", mapping).status == 201
    body = {"identity_provider": {"enabled": True, "remote_ids": list(remote_ids), **more}}
    made = world.admin.put("/OS-FEDERATION/identity_providers/corp", body)
    assert made.status == 201, made.content
    assert world.admin.put(PATH, {"protocol": {"mapping_id": "m"}}).status == 201
    found: dict[str, Any] = made.body["identity_provider"]
    return found


def remap(world: World, rules: Any, version: str = "1.0") -> None:
    changed = world.admin.patch("/OS-FEDERATION/mappings/m", {"mapping": {"rules": rules, "schema_version": version}})
    assert changed.status == 200, changed.content


def bearer(world: World, token: str) -> Reply:
    return replace(world.admin.anonymous(), headers={"Authorization": f"Bearer {token}"}).post(f"{PATH}/auth")


def test_a_bearer_token_becomes_a_user_with_the_groups_of_the_mapping(corp: World, provider: Provider) -> None:
    first = bearer(corp, provider.token())
    assert first.status == 201, first.content
    token = first.body["token"]
    idp = corp.admin.get("/OS-FEDERATION/identity_providers/corp").body["identity_provider"]
    assert (token["user"]["name"], token["user"]["domain"]["id"]) == ("u-1", idp["domain_id"])
    assert (token["methods"], len(token["user"]["id"])) == (["openid"], 64)
    federation = token["user"]["OS-FEDERATION"]
    assert (federation["identity_provider"], federation["protocol"]) == ({"id": "corp"}, {"id": "openid"})
    assert len(federation["groups"]) == 1
    me = with_token(corp.admin, token_of(first))
    for path in ("/auth/projects", "/OS-FEDERATION/projects"):
        assert [p["name"] for p in me.get(path).body["projects"]] == ["shared"]
    assert me.get("/OS-FEDERATION/domains").body["domains"] == []
    again = bearer(corp, provider.token())
    assert again.body["token"]["user"]["id"] == token["user"]["id"]
    shown = corp.admin.get(f"/users/{token['user']['id']}").body["user"]
    assert shown["federated"] == [{"idp_id": "corp", "protocols": [{"protocol_id": "openid", "unique_id": "u-1"}]}]
    assert shown["email"] == "eve@corp.example"
    listed = corp.admin.get("/users?idp_id=corp&protocol_id=openid&unique_id=u-1").body["users"]
    assert [u["id"] for u in listed] == [token["user"]["id"]]
    assert corp.admin.get("/users?idp_id=other").body["users"] == []


def scope_of(world: World) -> dict[str, Any]:
    return {"project": {"name": "shared", "domain": {"id": "default"}}}


@pytest.mark.parametrize("method", ["token", "openid"])
def test_an_unscoped_token_becomes_a_scoped_one(corp: World, provider: Provider, method: str) -> None:
    unscoped = token_of(bearer(corp, provider.token()))
    reply = log_in(corp.admin, {"methods": [method], method: {"id": unscoped}}, scope_of(corp))
    assert reply.status == 201, reply.content
    token = reply.body["token"]
    assert {r["name"] for r in token["roles"]} == {"member", "reader"}
    assert token["user"]["OS-FEDERATION"]["identity_provider"] == {"id": "corp"}
    assert "openid" in token["methods"]
    assert validate(corp.admin, token_of(reply)).status == 200
    plain = corp.token(corp.user(), "unscoped")
    assert log_in(corp.admin, {"methods": ["openid"], "openid": {"id": plain}}).status == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"iss": "https://elsewhere.example"}, 401),
        ({"aud": "another-client"}, 401),
        ({"aud": None}, 401),
        ({"exp": 1000}, 401),
        ({"exp": None}, 401),
        ({"nbf": 4_000_000_000}, 401),
        ({"sub": None}, 401),
        ({"sub": ["a", "b"]}, 401),
        ({"kid": "unknown"}, 401),
        ({"key": "a shared secret of 32 bytes or so", "algorithm": "HS256"}, 401),
        ({"key": "", "algorithm": "none"}, 401),
        ({"email": None}, 401),
    ],
)
def test_what_cannot_be_believed_opens_nothing(
    corp: World, provider: Provider, change: dict[str, Any], status: int
) -> None:
    claims = dict(provider.claims)
    provider.claims = {k: v for k, v in claims.items() if k not in change}
    given = {
        k: v for k, v in change.items() if k in ("key", "kid", "algorithm") or v is not None or k in ("aud", "exp")
    }
    if change.get("algorithm") == "none":
        given["key"] = None
    assert bearer(corp, _forged(provider, given)).status == status
    assert corp.admin.get("/users?idp_id=corp").body["users"] == []


def _forged(provider: Provider, given: dict[str, Any]) -> str:
    if given.get("algorithm") == "none":
        import jwt

        body = jwt.decode(provider.token(), options={"verify_signature": False})
        return jwt.encode(body, None, "none", headers={"kid": provider.kid})
    return provider.token(**given)


def test_a_token_with_a_foreign_key_or_of_no_kind_is_refused(corp: World, provider: Provider) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    stranger = rsa.generate_private_key(65537, 2048)
    assert bearer(corp, provider.token(key=stranger)).status == 401
    for text in ("", "x", "a.b.c", "x" * 40_000, "ü.ü.ü"):
        assert bearer(corp, text).status == 401
    basic = replace(corp.admin.anonymous(), headers={"Authorization": "Basic eDp5"})
    assert basic.get(f"{PATH}/auth").status == 401
    assert corp.admin.anonymous().get(f"{PATH}/auth").status == 401


def test_a_new_key_of_the_provider_is_found(corp: World, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    from pilvi.identity.drivers import oidc

    assert bearer(corp, provider.token()).status == 201
    provider.turn_key("second")
    assert bearer(corp, provider.token()).status == 401
    asked = provider.asked.count("/jwks")
    assert bearer(corp, provider.token()).status == 401
    assert provider.asked.count("/jwks") == asked
    monkeypatch.setattr(oidc, "KEYS_AGAIN_S", 0.0)
    assert bearer(corp, provider.token()).status == 201


def test_an_opaque_token_is_asked_about_where_the_operator_wants_that(
    corp: World, provider: Provider, issuer: Callable[..., None]
) -> None:
    assert bearer(corp, "opaque-7").status == 401
    issuer(introspect=True)
    assert bearer(corp, "opaque-7").status == 401
    provider.opaque["opaque-7"] = {"active": True, "client_id": CLIENT, **provider.claims}
    assert bearer(corp, "opaque-7").body["token"]["user"]["name"] == "u-1"
    provider.opaque["opaque-8"] = {"active": True, "client_id": "another", **provider.claims}
    assert bearer(corp, "opaque-8").status == 401


def test_a_provider_out_of_reach_is_503_and_a_disabled_or_unknown_one_is_closed(
    corp: World, provider: Provider, issuer: Callable[..., None]
) -> None:
    token = provider.token()
    settings.current.issuers = {"corp": Issuer("corp", "http://127.0.0.1:9", CLIENT)}
    assert bearer(corp, token).status == 503
    settings.current.issuers = {}
    assert bearer(corp, token).status == 404
    issuer()
    provider.discovery = {"issuer": "https://elsewhere.example"}
    assert bearer(corp, token).status == 503
    provider.discovery = {"jwks_uri": "http://192.0.2.1/jwks"}
    assert bearer(corp, token).status == 503
    provider.discovery = {}
    body = {"identity_provider": {"enabled": False}}
    assert corp.admin.patch("/OS-FEDERATION/identity_providers/corp", body).status == 200
    assert bearer(corp, token).status == 403
    nowhere = replace(corp.admin.anonymous(), headers={"Authorization": f"Bearer {token}"})
    assert nowhere.post("/OS-FEDERATION/identity_providers/no/protocols/openid/auth").status == 404


def test_remote_ids_say_whose_word_counts(corp: World, provider: Provider) -> None:
    other = {"identity_provider": {"remote_ids": ["https://other.example"]}}
    assert corp.admin.patch("/OS-FEDERATION/identity_providers/corp", other).status == 200
    refused = bearer(corp, provider.token())
    assert refused.status == 401
    assert "remote ids" in refused.body["error"]["message"]


def test_closing_the_door_ends_the_tokens_of_those_who_came_through(corp: World, provider: Provider) -> None:
    reply = bearer(corp, provider.token())
    me, user_id = with_token(corp.admin, token_of(reply)), reply.body["token"]["user"]["id"]
    assert me.get("/auth/projects").status == 200
    path = "/OS-FEDERATION/identity_providers/corp"
    assert corp.admin.patch(path, {"identity_provider": {"enabled": False}}).status == 200
    assert me.get("/auth/projects").status == 401
    assert corp.admin.patch(path, {"identity_provider": {"enabled": True}}).status == 200
    assert me.get("/auth/projects").status == 200
    assert corp.admin.patch(f"/users/{user_id}", {"user": {"enabled": False}}).status == 200
    assert me.get("/auth/projects").status == 401
    assert bearer(corp, provider.token()).status == 401
    assert corp.admin.delete(path).status == 204
    assert corp.admin.get(f"/users/{user_id}").status == 404


def test_groups_follow_the_provider_and_end_with_its_word(
    corp: World, provider: Provider, later: Callable[[float], None]
) -> None:
    unscoped = token_of(bearer(corp, provider.token()))
    scoped = log_in(corp.admin, {"methods": ["token"], "token": {"id": unscoped}}, scope_of(corp))
    me = with_token(corp.admin, token_of(scoped))
    user_id = scoped.body["token"]["user"]["id"]
    body = {"application_credential": {"name": "robot"}}
    robot = me.post(f"/users/{user_id}/application_credentials", body).body["application_credential"]
    method = "application_credential"
    proof = {"methods": [method], method: {"id": robot["id"], "secret": robot["secret"]}}
    held = with_token(corp.admin, token_of(log_in(corp.admin, proof)))
    assert held.at("/image/v2").get("/images").status == 200
    provider.claims = {**provider.claims, "groups": ["blue"]}
    assert with_token(corp.admin, token_of(bearer(corp, provider.token()))).get("/auth/projects").body["projects"] == []
    assert me.get("/auth/projects").status == 401
    provider.claims = {**provider.claims, "groups": ["staff"]}
    assert bearer(corp, provider.token()).status == 201
    assert log_in(corp.admin, proof).status == 201
    later(3700)
    assert log_in(corp.admin, proof).status == 401


def test_a_longer_authorization_ttl_lets_credentials_work_on(
    corp: World, provider: Provider, later: Callable[[float], None]
) -> None:
    body = {"identity_provider": {"authorization_ttl": 600}}
    assert corp.admin.patch("/OS-FEDERATION/identity_providers/corp", body).status == 200
    unscoped = token_of(bearer(corp, provider.token()))
    scoped = log_in(corp.admin, {"methods": ["token"], "token": {"id": unscoped}}, scope_of(corp))
    user_id = scoped.body["token"]["user"]["id"]
    body = {"application_credential": {"name": "robot"}}
    me = with_token(corp.admin, token_of(scoped))
    robot = me.post(f"/users/{user_id}/application_credentials", body).body["application_credential"]
    method = "application_credential"
    proof = {"methods": [method], method: {"id": robot["id"], "secret": robot["secret"]}}
    later(5 * 3600)
    assert log_in(corp.admin, proof).status == 201
    later(6 * 3600)
    assert log_in(corp.admin, proof).status == 401


def test_a_mapping_may_name_a_local_user(corp: World, provider: Provider) -> None:
    ann = corp.user("ann", options={"multi_factor_auth_rules": [["password", "totp"]]})
    local = {"user": {"name": "{0}", "type": "local", "domain": {"id": "default"}}}
    remap(corp, [{"local": [local], "remote": [{"type": "sub"}]}])
    provider.claims = {**provider.claims, "sub": "ann"}
    assert bearer(corp, provider.token()).status == 401
    free = {"user": {"options": {"multi_factor_auth_rules": None}}}
    assert corp.admin.patch(f"/users/{ann['id']}", free).status == 200
    assert bearer(corp, provider.token()).body["token"]["user"]["id"] == ann["id"]
    provider.claims = {**provider.claims, "sub": "nobody"}
    assert bearer(corp, provider.token()).status == 401


def test_a_mapping_may_promise_projects_and_other_domains(corp: World, provider: Provider) -> None:
    far = corp.domain()
    project = {"name": "home of {0}", "roles": [{"name": "member"}]}
    user = {"name": "{0}", "domain": {"name": "far"}}
    rules = [{"local": [{"user": user, "projects": [project]}], "remote": [{"type": "sub"}]}]
    remap(corp, rules)
    first = bearer(corp, provider.token())
    idp = corp.admin.get("/OS-FEDERATION/identity_providers/corp").body["identity_provider"]
    found = with_token(corp.admin, token_of(first)).get("/auth/projects").body["projects"]
    assert [(p["name"], p["domain_id"]) for p in found] == [("home of u-1", idp["domain_id"])]
    assert bearer(corp, provider.token()).status == 201
    remap(corp, rules, "2.0")
    provider.claims = {**provider.claims, "sub": "u-2"}
    second = bearer(corp, provider.token())
    assert second.body["token"]["user"]["domain"]["id"] == far["id"]
    wrong = [
        {"local": [{"user": user, "projects": [{**project, "roles": [{"name": "no"}]}]}], "remote": [{"type": "sub"}]}
    ]
    remap(corp, wrong)
    assert "no role no" in bearer(corp, provider.token()).body["error"]["message"]


def test_an_account_of_ours_can_be_known_at_a_provider(corp: World, provider: Provider) -> None:
    known = [{"idp_id": "corp", "protocols": [{"protocol_id": "openid", "unique_id": "u-1"}]}]
    ann = corp.user("ann", federated=known)
    assert ann["federated"] == known
    assert bearer(corp, provider.token()).body["token"]["user"]["id"] == ann["id"]
    assert corp.admin.get(f"/users/{ann['id']}").body["user"]["name"] == "ann"
    twice = {"user": {"name": "bob", "domain_id": "default", "federated": known}}
    assert corp.admin.post("/users", twice).status == 409
    unknown = [{"idp_id": "no", "protocols": [{"protocol_id": "openid", "unique_id": "u"}]}]
    assert corp.admin.patch(f"/users/{ann['id']}", {"user": {"federated": unknown}}).status == 400
    assert corp.admin.delete("/OS-FEDERATION/identity_providers/corp").status == 204
    shown = corp.admin.get(f"/users/{ann['id']}").body["user"]
    assert "federated" not in shown
    assert log_in(corp.admin, by_password(ann["id"], "secret")).status == 201


def test_two_people_of_one_name_are_two(corp: World, provider: Provider) -> None:
    rules = [{"local": [{"user": {"id": "{0}", "name": "John Smith"}}], "remote": [{"type": "sub"}]}]
    remap(corp, rules)
    first = bearer(corp, provider.token()).body["token"]["user"]
    provider.claims = {**provider.claims, "sub": "u-2"}
    second = bearer(corp, provider.token()).body["token"]["user"]
    assert first["name"] == second["name"] == "John Smith"
    assert first["id"] != second["id"]


def test_patterns_that_are_none_are_refused_when_the_mapping_is_made(corp: World) -> None:
    rules = [{"local": RULES[0]["local"], "remote": [{"type": "x", "any_one_of": ["("], "regex": True}]}]
    assert corp.admin.put("/OS-FEDERATION/mappings/bad", {"mapping": {"rules": rules}}).status == 400
    assert corp.admin.patch("/OS-FEDERATION/mappings/m", {"mapping": {"rules": rules}}).status == 400


# ---- a browser ---------------------------------------------------------------------------------------------------


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def follow(url: str) -> str:
    """Where the provider sends a browser that comes to this URL."""
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as answer:
        build_opener(_Stay).open(url, timeout=10)
    assert answer.value.code == 302
    found: str = answer.value.headers["Location"]
    answer.value.close()
    return found


def header(reply: Reply, name: str) -> str:
    return next(value for key, value in reply.headers.items() if key.lower() == name.lower())


def leave(world: World, path: str, origin: str = DASHBOARD) -> Reply:
    return world.admin.anonymous().get(f"{path}?origin={origin}")


def back(world: World, left: Reply, **changed: str) -> Reply:
    """The browser at the provider and back at the cloud, with its cookie."""
    landed = follow(header(left, "Location"))
    query = {**dict(parse_qsl(urlsplit(landed).query)), **changed}
    cookie = header(left, "Set-Cookie").partition(";")[0]
    browser = replace(world.admin.anonymous(), headers={"Cookie": f"other=1; {cookie}"}, prefix="")
    return browser.get(urlsplit(landed).path + "?" + "&".join(f"{k}={v}" for k, v in query.items()))


@pytest.mark.parametrize(
    "path", ["/auth/OS-FEDERATION/websso/openid", f"/auth{PATH}/websso"], ids=["protocol", "provider"]
)
def test_a_browser_logs_in_and_hands_the_token_to_the_dashboard(corp: World, provider: Provider, path: str) -> None:
    left = leave(corp, path)
    assert left.status == 302, left.content
    asked = dict(parse_qsl(urlsplit(header(left, "Location")).query))
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
    assert asked["redirect_uri"] == "http://127.0.0.1:8780/identity/v3/auth/OS-FEDERATION/websso/callback"
    for word in ("HttpOnly", "SameSite=Lax", "Path=/identity/v3/auth/OS-FEDERATION"):
        assert word in header(left, "Set-Cookie")
    landed = back(corp, left)
    assert landed.status == 200, landed.content
    assert header(landed, "Content-Type").startswith("text/html")
    assert "script-src 'sha256-" in header(landed, "Content-Security-Policy")
    assert header(landed, "Cache-Control") == "no-store"
    page = landed.content.decode()
    assert f'<form action="{DASHBOARD}" method="post">' in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    assert with_token(corp.admin, token.group(1)).get("/auth/projects").body["projects"][0]["name"] == "shared"


def test_a_login_of_another_browser_or_another_time_is_refused(
    corp: World, provider: Provider, later: Callable[[float], None]
) -> None:
    path = f"/auth{PATH}/websso"
    assert leave(corp, path, "https://evil.example/").status == 401
    assert leave(corp, path, DASHBOARD + "x").status == 401
    assert corp.admin.anonymous().get(path).status == 401
    mine, theirs = leave(corp, path), leave(corp, path)
    landed = follow(header(theirs, "Location"))
    stolen = dict(parse_qsl(urlsplit(landed).query))
    assert back(corp, mine, **stolen).status == 401
    assert back(corp, leave(corp, path), state="x").status == 401
    assert back(corp, leave(corp, path), code="").status == 401
    blank = replace(corp.admin.anonymous(), prefix="")
    assert blank.get(urlsplit(landed).path + "?" + urlsplit(landed).query).status == 401
    slow = leave(corp, path)
    later(700)
    assert back(corp, slow).status == 401


def test_a_code_counts_once_and_its_answer_must_be_ours(corp: World, provider: Provider) -> None:
    path = f"/auth{PATH}/websso"
    left = leave(corp, path)
    landed = urlsplit(follow(header(left, "Location")))
    cookie = header(left, "Set-Cookie").partition(";")[0]
    browser = replace(corp.admin.anonymous(), headers={"Cookie": cookie}, prefix="")
    assert browser.get(f"{landed.path}?{landed.query}").status == 200
    assert browser.get(f"{landed.path}?{landed.query}").status == 401
    provider.claims = {**provider.claims, "azp": "another"}
    assert back(corp, leave(corp, path)).status == 401


def test_userinfo_adds_what_the_id_token_leaves_out(
    corp: World, provider: Provider, issuer: Callable[..., None]
) -> None:
    provider.claims = {"sub": "u-1"}
    provider.more_claims = {"email": "eve@corp.example", "groups": ["staff"]}
    path = f"/auth{PATH}/websso"
    assert back(corp, leave(corp, path)).status == 401
    issuer(userinfo=True)
    assert back(corp, leave(corp, path)).status == 200
    provider.more_claims["sub"] = "u-2"
    assert back(corp, leave(corp, path)).status == 401


def test_a_protocol_alone_must_mean_one_provider(corp: World) -> None:
    assert leave(corp, "/auth/OS-FEDERATION/websso/saml2").status == 400
    assert leave(corp, "/auth/OS-FEDERATION/websso/openid").status == 302


# ---- unmodified clients ------------------------------------------------------------------------------------------


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def address(corp: World) -> Iterator[str]:
    """The cloud on a real socket."""
    server = make_server("127.0.0.1", 0, corp.admin.app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/identity/v3"
    server.shutdown()
    server.server_close()
    thread.join()


SCOPE = {"project_name": "shared", "project_domain_id": "default", "identity_provider": "corp", "protocol": "openid"}


def test_keystoneauth_logs_in_with_an_access_token(address: str, provider: Provider) -> None:
    plugin = OidcAccessToken(auth_url=address, access_token=provider.token(), **SCOPE)
    with_session(plugin)


def test_keystoneauth_logs_in_with_a_password_of_the_provider(address: str, provider: Provider) -> None:
    plugin = OidcPassword(
        auth_url=address, client_id=CLIENT, client_secret=SECRET, username="eve", password="apple",
        discovery_endpoint=f"{provider.url}/.well-known/openid-configuration", **SCOPE,
    )  # fmt: skip
    with_session(plugin)


def with_session(plugin: Any) -> None:
    session = Session(auth=plugin)
    access = plugin.get_access(session)
    assert (access.project_name, access.username) == ("shared", "u-1")
    assert access.is_federated
    session.session.close()


def test_the_same_with_the_other_method(corp: World, provider: Provider) -> None:
    """Clients may ask with GET for a token by a bearer token, and leave for the provider with POST."""
    me = replace(corp.admin.anonymous(), headers={"Authorization": f"Bearer {provider.token()}"})
    reply = me.get(f"{PATH}/auth")
    assert reply.status == 201, reply.content
    assert with_token(corp.admin, token_of(reply)).get("/auth/projects").status == 200
    for path in ("/auth/OS-FEDERATION/websso/openid", f"/auth{PATH}/websso"):
        left = corp.admin.anonymous().post(f"{path}?origin={DASHBOARD}")
        assert left.status == 302
        assert header(left, "Location").startswith(provider.url)
