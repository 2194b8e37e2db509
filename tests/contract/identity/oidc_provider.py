"""A small, real OpenID Connect provider on 127.0.0.1: RSA keys, codes with PKCE, passwords, opaque tokens."""

import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "pilvi", "hush"


class Provider:
    """What it knows and hands out. Tests change it to be another kind of provider."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, Any] = {}
        self.turn_key("first")
        self.claims: dict[str, Any] = {"sub": "u-1", "email": "eve@corp.example", "groups": ["staff", "blue"]}
        self.more_claims: dict[str, Any] = {}
        """Told by userinfo only."""
        self.codes: dict[str, dict[str, str]] = {}
        self.opaque: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.discovery: dict[str, Any] = {}
        """Members of the discovery document that differ."""

    def turn_key(self, kid: str) -> None:
        """A new key; older ones do not count any more."""
        self.kid = kid
        self.keys = {kid: rsa.generate_private_key(65537, 2048)}

    def token(self, *, key: Any = None, kid: str = "", algorithm: str = "RS256", **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, **self.claims, **claims}
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(body, key or self.keys[self.kid], algorithm, headers={"kid": kid or self.kid})

    # -- answers: path → document, or (status, document) -----------------------------------------------------------

    def document(self) -> dict[str, Any]:
        ends = {
            "authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo", "introspection_endpoint": "introspect",
        }  # fmt: skip
        return {"issuer": self.url, **{k: f"{self.url}/{v}" for k, v in ends.items()}, **self.discovery}

    def jwks(self) -> dict[str, Any]:
        public = [
            (kid, jwt.algorithms.RSAAlgorithm.to_jwk(k.public_key(), as_dict=True)) for kid, k in self.keys.items()
        ]
        return {"keys": [{**jwk, "kid": kid, "use": "sig", "alg": "RS256"} for kid, jwk in public]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Everybody is logged in here already: a code at once."""
        code = sha256(asked["state"].encode()).hexdigest()
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def grant(self, form: dict[str, str], client: str) -> tuple[int, dict[str, Any]]:
        if client != f"{CLIENT}:{SECRET}" and form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "password":
            right = (form["username"], form["password"]) == ("eve", "apple")
            return (200, {"access_token": self.token(), "expires_in": 300}) if right else (400, {"error": "no"})
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "opaque-1", "id_token": self.token(nonce=asked["nonce"])}


class _Answers(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(dict(parse_qsl(parts.query))))
            self.end_headers()
            return
        answers = {
            "/.well-known/openid-configuration": self.provider.document, "/jwks": self.provider.jwks,
            "/userinfo": lambda: {"sub": self.provider.claims["sub"], **self.provider.more_claims},
        }  # fmt: skip
        self._say(200, answers[parts.path]())

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        client = b64decode(self.headers.get("Authorization", "Basic ").removeprefix("Basic ")).decode()
        if self.path == "/introspect":
            self._say(200, self.provider.opaque.get(form["token"], {"active": False}))
        else:
            self._say(*self.provider.grant(form, client))

    def _say(self, status: int, document: Any) -> None:
        data = orjson.dumps(document)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"provider": provider}))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()
