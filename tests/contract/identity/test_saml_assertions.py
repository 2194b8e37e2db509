"""Users of this cloud go to another one with an assertion: what it says, that its signature holds, who gets one."""

import base64
import hashlib
import subprocess
import threading
import wsgiref.simple_server
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from pilvi.identity.saml_assertions.model import ASSERTION, Claims, assertion
from pilvi.identity.settings import current
from pilvi.kernel import clock
from pilvi.kernel.config import Paths
from pilvi.kernel.errors import BadRequest
from pilvi.ops import certificates
from tests.contract.client import Client, Reply
from tests.contract.identity.conftest import World, log_in, token_of
from tests.contract.identity.test_application_credentials import by_credential, make, me_of

NS = {
    "saml": ASSERTION, "samlp": "urn:oasis:names:tc:SAML:2.0:protocol", "ds": "http://www.w3.org/2000/09/xmldsig#",
    "soap": "http://schemas.xmlsoap.org/soap/envelope/", "ecp": "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
}  # fmt: skip
for _prefix, _uri in NS.items():
    ElementTree.register_namespace(_prefix, _uri)  # Prefixes are signed, too.
SP = {"auth_url": "https://o.example/v3/OS-FEDERATION/x/auth", "sp_url": "https://o.example/ECP?a=1&b", "enabled": True}


@pytest.fixture(scope="module")
def saml_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paths = Paths.under(tmp_path_factory.mktemp("saml"))
    paths.ca.mkdir()
    assert certificates.ensure_saml(paths)
    assert not certificates.ensure_saml(paths)
    assert paths.saml_certificate.stat().st_mode & 0o777 == 0o600
    return paths.saml_certificate


@pytest.fixture(autouse=True)
def signing(cloud: Client, saml_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "saml_path", saml_path)


@pytest.fixture
def provider(world: World) -> str:
    made = world.admin.put("/OS-FEDERATION/service_providers/other", {"service_provider": SP})
    assert made.status == 201
    return "other"


def ask(client: Client, token: str, provider: str, how: str = "") -> Reply:
    identity = {"methods": ["token"], "token": {"id": token}}
    body = {"auth": {"identity": identity, "scope": {"service_provider": {"id": provider}}}}
    return client.anonymous().post(f"/auth/OS-FEDERATION/saml2{how}", body)


def canonical(node: ElementTree.Element) -> bytes:
    """By another hand than the one that wrote it."""
    return ElementTree.canonicalize(ElementTree.tostring(node, encoding="unicode")).encode()


def check_signature(node: ElementTree.Element, certificate: x509.Certificate) -> None:
    """As a service provider does it. Raises InvalidSignature or AssertionError."""
    signature = node.find("ds:Signature", NS)
    assert signature is not None
    info = signature.find("ds:SignedInfo", NS)
    assert info is not None
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    value = base64.b64decode(signature.findtext("ds:SignatureValue", "", NS))
    key.verify(value, canonical(info), padding.PKCS1v15(), hashes.SHA256())
    reference = info.find("ds:Reference", NS)
    assert reference is not None
    assert reference.get("URI") == f"#{node.get('ID')}"
    node.remove(signature)
    digest = base64.b64encode(hashlib.sha256(canonical(node)).digest()).decode()
    assert reference.findtext("ds:DigestValue", "", NS) == digest


def assertion_in(root: ElementTree.Element) -> ElementTree.Element:
    found = root.find(".//saml:Assertion", NS)
    assert found is not None
    return found


def attributes_of(node: ElementTree.Element) -> dict[str, list[str]]:
    return {
        str(each.get("Name")): [value.text or "" for value in each.findall("saml:AttributeValue", NS)]
        for each in node.findall("saml:AttributeStatement/saml:Attribute", NS)
    }


def published(world: World) -> tuple[ElementTree.Element, x509.Certificate]:
    reply = world.admin.anonymous().get("/OS-FEDERATION/saml2/metadata")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml")
    root = ElementTree.fromstring(reply.content)
    text = root.findtext(".//ds:X509Certificate", "", NS)
    return root, x509.load_der_x509_certificate(base64.b64decode(text))


def test_an_assertion_says_who_the_user_is_and_its_signature_holds(world: World, provider: str) -> None:
    user, project = world.member()
    group = world.make("/groups", "group", name="gré <&> up")
    world.admin.put(f"/groups/{group['id']}/users/{user['id']}")
    reply = ask(world.admin, world.project_token(user, project), provider)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml")
    assert (reply.headers["x-sp-url"], reply.headers["x-auth-url"]) == (SP["sp_url"], SP["auth_url"])
    root = ElementTree.fromstring(reply.content)
    metadata, certificate = published(world)
    found = assertion_in(root)
    said = attributes_of(found)
    assert said["openstack_user"] == [user["name"]]
    assert said["openstack_project"] == [project["name"]]
    assert said["openstack_roles"] == ["member", "reader"]
    assert said["openstack_user_domain"] == said["openstack_project_domain"] == ["Default"]
    assert said["openstack_groups"] == ['JSON:{"name":"gré <&> up","domain":{"name":"Default"}}']
    assert found.findtext("saml:Issuer", "", NS) == metadata.get("entityID")
    confirmed = found.find(".//saml:SubjectConfirmationData", NS)
    assert confirmed is not None
    assert confirmed.get("Recipient") == root.get("Destination") == SP["sp_url"]
    assert 0 < clock.parse(str(confirmed.get("NotOnOrAfter"))) - clock.now() <= 600
    assert found.findtext(".//saml:Audience", "", NS) == SP["sp_url"]
    check_signature(found, certificate)


def test_what_was_changed_on_the_way_is_found_out(world: World, provider: str) -> None:
    reply = ask(world.admin, world.project_token(*world.member()), provider)
    _, certificate = published(world)
    changed = reply.content.replace(b">member<", b">admin<")
    assert changed != reply.content
    with pytest.raises(AssertionError):
        check_signature(assertion_in(ElementTree.fromstring(changed)), certificate)
    changed = reply.content.replace(b"#sha256", b"#sha512", 1).replace(b"xmlenc#sha256", b"xmlenc#sha512", 1)
    with pytest.raises(InvalidSignature):
        check_signature(assertion_in(ElementTree.fromstring(changed)), certificate)


def test_another_program_finds_the_signature_good(world: World, provider: str, tmp_path: Path, saml_path: Path) -> None:
    token = world.project_token(*world.member())
    for how in ("", "/ecp"):
        reply = ask(world.admin, token, provider, how)
        (tmp_path / "answer.xml").write_bytes(reply.content)
        argv = ["xmlsec1", "--verify", "--trusted-pem", str(saml_path), "--id-attr:ID", f"{ASSERTION}:Assertion"]
        argv += [str(tmp_path / "answer.xml")]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "FAIL" not in done.stdout + done.stderr
        (tmp_path / "answer.xml").write_bytes(reply.content.replace(b">member<", b">admin<"))
        assert subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode != 0


def test_nobody_else_gets_one(world: World, provider: str) -> None:
    user, project = world.member()
    token = world.project_token(user, project)
    assert ask(world.admin, "nothing", provider).status == 401
    assert ask(world.admin, token, "unknown").status == 404
    unscoped = token_of(log_in(world.admin, {"methods": ["token"], "token": {"id": token}}, "unscoped"))
    assert ask(world.admin, unscoped, provider).status == 403
    robot = make(me_of(world, user, project), user)
    assert ask(world.admin, token_of(log_in(world.admin, by_credential(robot))), provider).status == 403
    world.admin.patch(f"/OS-FEDERATION/service_providers/{provider}", {"service_provider": {"enabled": False}})
    assert ask(world.admin, token, provider).status == 403
    world.admin.patch(f"/OS-FEDERATION/service_providers/{provider}", {"service_provider": {"enabled": True}})
    assert ask(world.admin, token, provider).status == 200
    world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": False}})
    assert ask(world.admin, token, provider).status == 401


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"auth": 1}, {"auth": {"identity": {"methods": ["password"]}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": 5}}, "scope": {}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"service_provider": "o"}}},
    ],
)  # fmt: skip
def test_odd_requests_are_refused(world: World, body: Any) -> None:
    reply = world.admin.anonymous().post("/auth/OS-FEDERATION/saml2", body)
    assert (reply.status, reply.body["error"]["code"]) == (400, 400)


def test_a_cloud_without_a_certificate_says_what_to_do(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(current, "saml_path", tmp_path / "none")
    for reply in (
        world.admin.get("/OS-FEDERATION/saml2/metadata"),
        ask(world.admin, world.project_token(*world.member()), provider),
    ):
        assert reply.status == 503
        assert "pilvi up" in reply.body["error"]["message"]


def test_every_token_names_the_open_providers(world: World, provider: str) -> None:
    wanted = [{"id": provider, "auth_url": SP["auth_url"], "sp_url": SP["sp_url"]}]

    def named() -> Any:
        reply = world.admin.get("/auth/tokens", headers={"X-Subject-Token": str(world.admin.token)})
        return reply.body["token"].get("service_providers")

    assert named() == wanted
    world.admin.patch(f"/OS-FEDERATION/service_providers/{provider}", {"service_provider": {"enabled": False}})
    assert named() is None


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_user_is_called_the_signed_text_is_the_canonical_one(user: str, group: str) -> None:
    signed: list[bytes] = []

    def sign(text: bytes) -> bytes:
        signed.append(text)
        return b"signature"

    said = {"openstack_user": [user], "openstack_groups": [group, "<&>\"'\r\n\t"]}
    claims = Claims("https://i", f"https://r?{'a&b'}", "https://a", user, said, "t0", "t1", "a1", "r1")
    try:
        text = assertion(claims, "certificate", sign)
    except BadRequest:
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(f"<a>{user}{group}</a>".replace("&", "").replace("<", ""))
        return
    node = ElementTree.fromstring(text)
    assert ElementTree.canonicalize(text) == text
    signature = node.find("ds:Signature", NS)
    assert signature is not None
    info = signature.find("ds:SignedInfo", NS)
    assert info is not None
    assert canonical(info) == signed[0]
    assert attributes_of(node)["openstack_user"] == [user]


# -- the whole way, with the stock library -----------------------------------------------------------------------------


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


class OtherCloud(BaseHTTPRequestHandler):
    """Takes the envelope at one place and gives a token at another, as another cloud with a module for SAML does."""

    taken: list[bytes]

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(303)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        body = b'{"token": {"methods": ["saml2"], "user": {"id": "u", "name": "n", "domain": {"id": "d"}}}}'
        self.send_response(201)
        self.send_header("X-Subject-Token", "token-of-the-other-cloud")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def other_cloud() -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (OtherCloud,), {"taken": taken}))
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", taken


@pytest.fixture
def this_cloud(cloud: Client) -> Iterator[str]:
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, cloud.app, handler_class=Quiet)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/identity/v3"


class _running:  # noqa: N801 reads like a function
    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def test_the_stock_library_carries_a_user_to_another_cloud(
    world: World, this_cloud: str, other_cloud: tuple[str, list[bytes]]
) -> None:
    base, taken = other_cloud
    there = {"auth_url": f"{base}/v3/OS-FEDERATION/auth", "sp_url": f"{base}/ECP", "enabled": True}
    assert world.admin.put("/OS-FEDERATION/service_providers/there", {"service_provider": there}).status == 201
    user, project = world.member()
    local = v3.Token(this_cloud, token=world.project_token(user, project), project_id=project["id"])
    with_session = Session()
    remote = v3.Keystone2Keystone(local, "there")
    try:
        reference = remote.get_unscoped_auth_ref(with_session)
    finally:
        with_session.session.close()
    assert reference.auth_token == "token-of-the-other-cloud"
    root = ElementTree.fromstring(taken[0])
    relay = root.find("soap:Header/ecp:RelayState", NS)
    assert relay is not None
    assert str(relay.text).startswith("ss:mem:")
    found = assertion_in(root)
    assert attributes_of(found)["openstack_user"] == [user["name"]]
    check_signature(found, published(world)[1])
