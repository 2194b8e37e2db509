"""The dance of OAuth 1.0a: a consumer asks, a user gives, the consumer acts with what was given and no more."""

import hmac
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from pilvi.kernel import clock, ids
from tests.contract.client import Client, Reply
from tests.contract.identity.conftest import World, log_in, token_of, validate, with_token
from tests.contract.identity.test_login_rules import later as later

URL = "http://127.0.0.1:8780/identity/v3"


def quoted(text: str) -> str:
    return quote(text, safe="-._~")


def authorization(path: str, consumer: Any, token: Any = None, **changed: str) -> str:
    """As a client of RFC 5849 signs `POST path`."""
    parameters = {
        "oauth_consumer_key": consumer["id"], "oauth_nonce": ids.hexid(), "oauth_timestamp": str(int(clock.now())),
        "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0", **changed,
    }  # fmt: skip
    if token is not None:
        parameters["oauth_token"] = token["oauth_token"]
    joined = "&".join(sorted(f"{quoted(k)}={quoted(v)}" for k, v in parameters.items()))
    text = "&".join(map(quoted, ("POST", URL + path, joined)))
    key = f"{quoted(consumer['secret'])}&{quoted(token['oauth_token_secret'] if token else '')}"
    parameters["oauth_signature"] = b64encode(hmac.new(key.encode(), text.encode(), sha1).digest()).decode()
    return "OAuth " + ", ".join(f'{quoted(k)}="{quoted(v)}"' for k, v in parameters.items())


def send(client: Client, path: str, header: str, body: Any = None, **more: str) -> Reply:
    headers = {"Authorization": header, **{name.replace("_", "-"): value for name, value in more.items()}}
    return replace(client.anonymous(), headers=headers).post(path, body)


def handed_out(reply: Reply) -> dict[str, str]:
    assert reply.status == 201, reply.content
    return dict(parse_qsl(reply.content.decode()))


class Dance:
    """A consumer, a user who is a manager of a project, and the steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.consumer = world.make("/OS-OAUTH1/consumers", "consumer", description="app")
        self.user, self.project = world.member("ann", "manager")
        self.me = with_token(world.admin, world.project_token(self.user, self.project))

    def ask(self, **changed: str) -> Reply:
        path = "/OS-OAUTH1/request_token"
        header = authorization(path, self.consumer, oauth_callback="oob", **changed)
        return send(self.world.admin, path, header, Requested_Project_Id=self.project["id"])

    def say_yes(self, request: dict[str, str], *names: str) -> Reply:
        roles = {"roles": [{"name": name} for name in names]}
        return self.me.put(f"/OS-OAUTH1/authorize/{request['oauth_token']}", roles)

    def fetch(self, request: dict[str, str], verifier: str) -> Reply:
        path = "/OS-OAUTH1/access_token"
        return send(self.world.admin, path, authorization(path, self.consumer, request, oauth_verifier=verifier))

    def access(self, *names: str) -> dict[str, str]:
        request = handed_out(self.ask())
        verifier = self.say_yes(request, *names).body["token"]["oauth_verifier"]
        return handed_out(self.fetch(request, verifier))

    def enter(self, access: dict[str, str], scope: Any = None, header: str = "") -> Reply:
        auth: dict[str, Any] = {"identity": {"methods": ["oauth1"], "oauth1": {}}}
        if scope is not None:
            auth["scope"] = scope
        return send(
            self.world.admin,
            "/auth/tokens",
            header or authorization("/auth/tokens", self.consumer, access),
            {"auth": auth},
        )


@pytest.fixture
def dance(world: World) -> Dance:
    return Dance(world)


def test_the_whole_dance(dance: Dance) -> None:
    access = dance.access("reader")
    reply = dance.enter(access)
    assert reply.status == 201, reply.content
    token = reply.body["token"]
    assert token["methods"] == ["oauth1"]
    assert (token["user"]["id"], token["project"]["id"]) == (dance.user["id"], dance.project["id"])
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert token["OS-OAUTH1"] == {"access_token_id": access["oauth_token"], "consumer_id": dance.consumer["id"]}
    assert validate(dance.world.admin, token_of(reply)).body["token"]["OS-OAUTH1"] == token["OS-OAUTH1"]


def test_the_user_sees_what_was_given_and_takes_it_back(dance: Dance) -> None:
    access = dance.access("reader")
    held = with_token(dance.world.admin, token_of(dance.enter(access)))
    path = f"/users/{dance.user['id']}/OS-OAUTH1/access_tokens"
    (listed,) = dance.me.get(path).body["access_tokens"]
    assert (listed["consumer_id"], listed["authorizing_user_id"]) == (dance.consumer["id"], dance.user["id"])
    one = f"{path}/{listed['id']}"
    assert dance.me.get(one).body["access_token"] == listed
    roles = dance.me.get(f"{one}/roles").body["roles"]
    assert [role["name"] for role in roles] == ["reader"]
    assert dance.me.get(f"{one}/roles/{roles[0]['id']}").body["role"]["name"] == "reader"
    assert dance.me.get(f"{one}/roles/{dance.world.roles['manager']}").status == 404
    assert held.get(path).status == 403
    stranger = with_token(dance.world.admin, dance.world.project_token(*dance.world.member("bob")))
    assert [stranger.get(p).status for p in (path, one, f"{one}/roles")] == [403, 403, 403]
    assert stranger.delete(one).status == 403
    assert held.get("/auth/catalog").status == 200
    assert dance.me.delete(one).status == 204
    assert held.get("/auth/catalog").status == 401
    assert dance.enter(access).status == 401


@pytest.mark.parametrize("what", ["grant", "user", "consumer", "project"])
def test_what_was_given_ends_with_what_it_rests_on(dance: Dance, what: str) -> None:
    access = dance.access("reader")
    held = with_token(dance.world.admin, token_of(dance.enter(access)))
    admin, user, project = dance.world.admin, dance.user["id"], dance.project["id"]
    done = {
        "grant": lambda: admin.delete(f"/projects/{project}/users/{user}/roles/{dance.world.roles['manager']}"),
        "user": lambda: admin.patch(f"/users/{user}", {"user": {"enabled": False}}),
        "consumer": lambda: admin.delete(f"/OS-OAUTH1/consumers/{dance.consumer['id']}"),
        "project": lambda: admin.delete(f"/projects/{project}"),
    }[what]()
    assert done.status in (200, 204)
    assert held.get("/auth/catalog").status == 401
    assert dance.enter(access).status == 401


def test_class_5_a_consumer_makes_nothing_of_what_it_was_given(dance: Dance) -> None:
    token = token_of(dance.enter(dance.access("reader")))
    held, user, project = with_token(dance.world.admin, token), dance.user, dance.project
    assert log_in(dance.world.admin, {"methods": ["token"], "token": {"id": token}}).status == 403
    body = {"application_credential": {"name": "x"}}
    assert held.post(f"/users/{user['id']}/application_credentials", body).status == 403
    trust = {
        "trustor_user_id": user["id"], "trustee_user_id": user["id"], "impersonation": True,
        "project_id": project["id"], "roles": [{"name": "reader"}],
    }  # fmt: skip
    assert held.post("/OS-TRUST/trusts", {"trust": trust}).status == 403
    request = handed_out(dance.ask())
    roles = {"roles": [{"name": "reader"}]}
    assert held.put(f"/OS-OAUTH1/authorize/{request['oauth_token']}", roles).status == 403
    pair = held.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]})
    assert pair.status == 201
    from tests.contract.identity.test_advisories import exchange, roles_in

    assert roles_in(exchange(dance.world, pair.body["credential"])) == {"reader"}


def test_a_user_gives_only_what_they_have_and_once(dance: Dance) -> None:
    request = handed_out(dance.ask())
    assert dance.say_yes(request, "admin").status == 401
    assert dance.say_yes(request).status == 400
    assert dance.say_yes({"oauth_token": "0" * 32}, "reader").status == 404
    assert dance.fetch(request, "guess").status == 401
    verifier = dance.say_yes(request, "reader").body["token"]["oauth_verifier"]
    assert dance.say_yes(request, "manager").status == 403
    assert dance.fetch(request, "wrong").status == 401
    access = handed_out(dance.fetch(request, verifier))
    assert dance.fetch(request, verifier).status == 401
    assert dance.say_yes(access, "manager").status == 404


def test_a_signed_request_counts_once_now_and_as_it_was_signed(dance: Dance, later: Callable[[float], None]) -> None:
    access = dance.access("reader")
    header = authorization("/auth/tokens", dance.consumer, access)
    assert dance.enter(access, header=header).status == 201
    assert dance.enter(access, header=header).status == 401
    stranger = dance.world.make("/OS-OAUTH1/consumers", "consumer", description="other")
    for bad in (
        authorization("/auth/tokens", {**dance.consumer, "secret": "x"}, access),
        authorization("/auth/tokens", dance.consumer, {**access, "oauth_token_secret": "x"}),
        authorization("/auth/other", dance.consumer, access),
        authorization("/auth/tokens", stranger, access),
        authorization("/auth/tokens", dance.consumer, access, oauth_timestamp="1"),
        authorization("/auth/tokens", dance.consumer, access, oauth_timestamp="x"),
        authorization("/auth/tokens", dance.consumer, access, oauth_signature_method="PLAINTEXT"),
        "Basic eDp5", "OAuth nonsense", "OAuth",
    ):  # fmt: skip
        assert dance.enter(access, header=bad).status in (400, 401), bad
    waiting = authorization("/auth/tokens", dance.consumer, access)
    later(400)
    assert dance.enter(access, header=waiting).status == 401
    assert dance.enter(access).status == 201
    assert dance.enter(access, scope={"project": {"id": dance.project["id"]}}).status == 401
    later(25 * 3600)
    assert dance.enter(access).status == 401


def test_a_request_token_needs_a_project_and_ends(dance: Dance, later: Callable[[float], None]) -> None:
    path = "/OS-OAUTH1/request_token"
    assert send(dance.world.admin, path, authorization(path, dance.consumer)).status == 400
    missing = send(dance.world.admin, path, authorization(path, dance.consumer), Requested_Project_Id="0" * 32)
    assert missing.status == 404
    assert send(dance.world.admin, path, "", Requested_Project_Id=dance.project["id"]).status == 401
    request = handed_out(dance.ask())
    verifier = dance.say_yes(request, "reader").body["token"]["oauth_verifier"]
    later(9 * 3600)
    assert dance.fetch(request, verifier).status == 401


def test_odd_requests_are_refused_not_broken(dance: Dance) -> None:
    path = "/OS-OAUTH1/request_token"
    nul = authorization(path, {**dance.consumer, "id": "a\0b"})
    assert send(dance.world.admin, path, nul, Requested_Project_Id=dance.project["id"]).status == 401
    header = authorization(path, dance.consumer)
    many = path + "?" + "a=1&" * 300
    assert send(dance.world.admin, many, header, Requested_Project_Id=dance.project["id"]).status == 400
    assert dance.ask(oauth_nonce="n" * 65).status == 400
    assert dance.ask(oauth_nonce="").status == 400
