"""An OpenID Connect issuer: its documents, its keys, what its tokens say. Answers are small and soon; no redirects.

Called by `federated_logins/stream.py`, outside transactions. Raises Unauthorized for what is not to be believed and
Unavailable when the issuer does not answer as it should.
"""

import http.client
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import jwt
import orjson

from pilvi.identity.issuers import Issuer, is_safe
from pilvi.kernel.errors import Unauthorized, Unavailable

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With a public key only: a shared secret would let whoever checks tokens make them."""
ANSWER_LIMIT: Final = 1024 * 1024
TIMEOUT_S: Final = 5.0
WHOLE_TIMEOUT_S: Final = 10.0
KEPT_S: Final = 600.0
"""How long an issuer's documents are believed."""
KEYS_AGAIN_S: Final = 30.0
"""An unknown key makes us ask again, but not more often."""
LEEWAY_S: Final = 30.0
LONGEST_TOKEN: Final = 32 * 1024

Claims = dict[str, Any]


class Oidc:
    """One issuer. Any number of threads may ask."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self._lock = threading.Lock()
        self._documents: dict[str, tuple[float, Any]] = {}
        self._tls = ssl.create_default_context(cafile=str(issuer.ca_path) if issuer.ca_path else None)

    # -- tokens ----------------------------------------------------------------------------------------------------

    def believe_bearer(self, token: str) -> Claims:
        """The claims of a token that a client brought along."""
        audiences = [self.issuer.client_id, *self.issuer.audiences]
        if token.count(".") == 2:
            return self._verified(token, audiences)
        if not self.issuer.introspect:
            raise Unauthorized("The bearer token is no signed JWT, which is what this identity provider is used with.")
        return self._introspected(token, audiences)

    def believe_id_token(self, token: str, nonce: str) -> Claims:
        """The claims of an ID token that answers a login of ours."""
        claims = self._verified(token, [self.issuer.client_id])
        if claims.get("nonce") != nonce:
            raise Unauthorized("The ID token answers another login.")
        if claims.get("azp", self.issuer.client_id) != self.issuer.client_id:
            raise Unauthorized("The ID token was made for another client.")
        return claims

    def _verified(self, token: str, audiences: list[str]) -> Claims:
        if len(token) > LONGEST_TOKEN:
            raise Unauthorized("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise Unauthorized(f"Tokens must be signed with one of {', '.join(ALGORITHMS)}.")
            claims: Claims = jwt.decode(
                token, self._key(header.get("kid")).key, algorithms=[algorithm], audience=audiences,
                issuer=self.issuer.issuer, leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthorized(f"The token cannot be believed: {error}.") from None
        return claims

    def _introspected(self, token: str, audiences: list[str]) -> Claims:
        claims: Claims = self._post("introspection_endpoint", {"token": token})
        if claims.get("active") is not True:
            raise Unauthorized("The identity provider says that the token does not count.")
        meant_for = claims.get("aud", claims.get("client_id"))
        named = {meant_for} if isinstance(meant_for, str) else set(meant_for or ())
        if not named & set(audiences) or claims.get("iss", self.issuer.issuer) != self.issuer.issuer:
            raise Unauthorized("The token was made for somebody else.")
        return {**claims, "iss": self.issuer.issuer}

    def _key(self, kid: str | None) -> jwt.PyJWK:
        uri = self._endpoint("jwks_uri")
        for oldest_s in (KEPT_S, KEYS_AGAIN_S):
            keys = self._key_set(uri, oldest_s)
            found = [key for key in keys if kid is None or key.key_id == kid]
            if len(found) == 1 or (found and kid is not None):
                return found[0]
        raise Unauthorized("The token is signed with a key that the identity provider does not have.")

    def _key_set(self, uri: str, oldest_s: float) -> list[jwt.PyJWK]:
        def read(document: Any) -> list[jwt.PyJWK]:
            try:
                return [key for key in jwt.PyJWKSet.from_dict(document).keys if key.public_key_use in (None, "sig")]
            except (jwt.PyJWTError, AttributeError, TypeError, KeyError):
                raise Unavailable("The identity provider's keys cannot be read.") from None

        keys: list[jwt.PyJWK] = self._kept(uri, oldest_s, read)
        return keys

    # -- the login in a browser ------------------------------------------------------------------------------------

    def authorization_url(self, parameters: Mapping[str, str]) -> str:
        url = self._endpoint("authorization_endpoint")
        asked = {"response_type": "code", "client_id": self.issuer.client_id, "scope": self.issuer.scopes}
        return f"{url}{'&' if '?' in url else '?'}{urlencode({**asked, **parameters})}"

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """The tokens that a code stands for."""
        form = {
            "grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect_uri,
        }  # fmt: skip
        found: dict[str, Any] = self._post("token_endpoint", form)
        return found

    def userinfo(self, access_token: str, sub: str) -> Claims:
        """What the issuer says of the user beyond the ID token; about nobody else."""
        headers = {"Authorization": f"Bearer {access_token}"}
        claims: Claims = self._fetch("GET", self._endpoint("userinfo_endpoint"), headers=headers)
        if claims.get("sub") != sub:
            raise Unauthorized("The identity provider speaks of another user.")
        return claims

    # -- documents -------------------------------------------------------------------------------------------------

    def _endpoint(self, name: str) -> str:
        def read(document: Any) -> dict[str, Any]:
            if not isinstance(document, dict) or document.get("issuer") != self.issuer.issuer:
                raise Unavailable("The identity provider calls itself by another name than the one configured.")
            return document

        where = self.issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        url = self._kept(where, KEPT_S, read).get(name)
        if not isinstance(url, str) or not is_safe(url):
            raise Unavailable(f"The identity provider has no safe {name}.")
        return url

    def _kept(self, url: str, oldest_s: float, read: Any) -> Any:
        """A document from the cache, or fetched by one thread while the others wait for it."""
        with self._lock:
            fetched_at, value = self._documents.get(url, (float("-inf"), None))
            if time.monotonic() - fetched_at > oldest_s:
                value = read(self._fetch("GET", url))
                self._documents[url] = (time.monotonic(), value)
            return value

    def _post(self, endpoint: str, form: dict[str, str]) -> Any:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = self.issuer.client_secret
        if secret is None:
            form = {**form, "client_id": self.issuer.client_id}
        else:
            pair = f"{quote(self.issuer.client_id, safe='')}:{quote(secret.reveal(), safe='')}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        return self._fetch("POST", self._endpoint(endpoint), urlencode(form).encode(), headers)

    def _fetch(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """One request, no redirects, a bounded answer in JSON."""
        parts = urlsplit(url)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_S, context=self._tls)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection.request(method, path, body, {"Accept": "application/json", **(headers or {})})
            answer = connection.getresponse()
            data = _bounded(answer)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The identity provider cannot be reached: {error}. Try again.") from None
        finally:
            connection.close()
        if answer.status in (400, 401, 403):
            raise Unauthorized("The identity provider refused.")
        if answer.status != 200:
            raise Unavailable(f"The identity provider answered {answer.status}. Try again.")
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            raise Unavailable("The identity provider did not answer in JSON.") from None


def _bounded(answer: http.client.HTTPResponse) -> bytes:
    """The body, if it is small and comes within the time."""
    ends_at = time.monotonic() + WHOLE_TIMEOUT_S
    data = b""
    while chunk := answer.read1(64 * 1024):
        data += chunk
        if len(data) > ANSWER_LIMIT or time.monotonic() > ends_at:
            raise Unavailable("The identity provider's answer is too large or too slow.")
    return data
