"""What a token holds, packed small, and the request that asks for one. Pure."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from pilvi.kernel.errors import BadRequest

METHODS = (
    "password", "token", "application_credential", "totp", "ec2credential", "mapped", "external", "oauth1", "receipt",
    "openid", "saml2",
)  # fmt: skip
"""Their order is part of the token's format: append only."""
SCOPES = ("unscoped", "project", "domain", "system")
_HEAD = struct.Struct(">BHBQQ")
_PLAIN, _FEDERATED = 1, 2
"""Formats: the second one carries where the user came in, too."""


@dataclass(frozen=True, slots=True)
class Token:
    user_id: str
    methods: tuple[str, ...]
    scope: str
    """One of SCOPES."""
    scope_id: str
    issued_us: int
    expires_us: int
    audit_ids: tuple[str, ...]
    """Its own and, after a rescope, that of the first token of the chain."""
    application_credential_id: str = ""
    trust_id: str = ""
    idp_id: str = ""
    """The identity provider and the protocol through which the user came in, for users from there."""
    protocol_id: str = ""
    access_token_id: str = ""
    """The OAuth access token that the user gave to a consumer."""

    @property
    def is_delegated(self) -> bool:
        """Acts with rights that somebody handed on; such a token makes no other ones."""
        return bool(self.application_credential_id or self.trust_id or self.access_token_id)


def _packed(text: str) -> bytes:
    """An id of 32 hex digits in 17 bytes, any other text as it is."""
    if len(text) == 32 and text.strip("0123456789abcdef") == "":
        return b"\xff" + bytes.fromhex(text)
    raw = text.encode()
    assert len(raw) < 255, "an identifier in a token is too long"
    return bytes([len(raw)]) + raw


def _unpacked(data: bytes, at: int) -> tuple[str, int]:
    length = data[at]
    if length == 255:
        return data[at + 1 : at + 17].hex(), at + 17
    return data[at + 1 : at + 1 + length].decode(), at + 1 + length


def pack(token: Token) -> bytes:
    methods = sum(1 << METHODS.index(m) for m in token.methods)
    more = (token.idp_id, token.protocol_id, token.access_token_id)
    version = _FEDERATED if any(more) else _PLAIN
    head = _HEAD.pack(version, methods, SCOPES.index(token.scope), token.issued_us, token.expires_us)
    audit = bytes([len(token.audit_ids)]) + b"".join(urlsafe_b64decode(a + "==") for a in token.audit_ids)
    texts = [token.user_id, token.scope_id, token.application_credential_id, token.trust_id]
    texts += more if version == _FEDERATED else ()
    return head + audit + b"".join(_packed(t) for t in texts)


def unpack(data: bytes) -> Token:
    """Raises ValueError, IndexError or struct.error for what is no token of ours."""
    version, methods, scope, issued_us, expires_us = _HEAD.unpack_from(data)
    if version not in (_PLAIN, _FEDERATED):
        raise ValueError("a token of an unknown format")
    at = _HEAD.size + 1
    audits = tuple(audit_text(data[at + 16 * i : at + 16 * i + 16]) for i in range(data[at - 1]))
    at += 16 * len(audits)
    texts = []
    for _ in range(4 if version == _PLAIN else 7):
        text, at = _unpacked(data, at)
        texts.append(text)
    names = tuple(m for i, m in enumerate(METHODS) if methods >> i & 1)
    return Token(texts[0], names, SCOPES[scope], texts[1], issued_us, expires_us, audits, *texts[2:])


def audit_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


# ---- the request -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """Something by id, or by name in a domain that is itself by id or name."""

    id: str = ""
    name: str = ""
    domain_id: str = ""
    domain_name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    kind: str
    """One of SCOPES, `trust`, or `default` when the client left it to us."""
    what: Named = Named()


@dataclass(frozen=True, slots=True)
class Proof:
    """One method with what it needs."""

    method: str
    user: Named | None = None
    secret: str = ""
    credential: Named | None = None


@dataclass(frozen=True, slots=True)
class Request:
    proofs: tuple[Proof, ...]
    scope: Scope


TOKEN_METHODS = frozenset({"token", "saml2", "openid", "mapped"})
"""Their proof is a token; those from federation are the older way to say so."""
KNOWN_METHODS = TOKEN_METHODS | {"password", "application_credential", "totp"}


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"Expecting to find {place} in the request body: an object. The server could not comply.")
    return value


def _text(holder: dict[str, Any], key: str, place: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str) or len(value) > 4096:
        raise BadRequest(f"Expecting to find {key} in {place}: a string.")
    return value


def _named(value: dict[str, Any], place: str) -> Named:
    """`{"id"}` or `{"name", "domain": {"id"|"name"}}`."""
    if "id" in value:
        return Named(id=_text(value, "id", place))
    name = _text(value, "name", place)
    domain = _object(value.get("domain"), f"domain of {place}")
    if "id" in domain:
        return Named(name=name, domain_id=_text(domain, "id", f"domain of {place}"))
    return Named(name=name, domain_name=_text(domain, "name", f"domain of {place}"))


def parse(raw: Any) -> Request:
    """Read the body of POST /auth/tokens; raises BadRequest with the place that is wrong."""
    auth = _object(_object(raw, "auth").get("auth"), "auth")
    identity = _object(auth.get("identity"), "identity")
    methods = identity.get("methods")
    if not isinstance(methods, list) or not methods or not all(isinstance(m, str) for m in methods):
        raise BadRequest("Expecting to find methods in identity: a list with at least one string.")
    if len(methods) > len(METHODS):
        raise BadRequest("Too many methods in identity.")
    proofs = tuple(_proof(m, identity) for m in dict.fromkeys(methods))
    return Request(proofs, _scope(auth.get("scope"), "scope" in auth))


def _proof(method: str, identity: dict[str, Any]) -> Proof:
    if method not in KNOWN_METHODS:
        return Proof(method)
    given = _object(identity.get(method), method)
    if method in TOKEN_METHODS:
        return Proof(method, secret=_text(given, "id", method))
    if method == "application_credential":
        return _credential_proof(given)
    user = _object(given.get("user"), f"{method}.user")
    key = "passcode" if method == "totp" else "password"
    return Proof(method, _named(user, f"{method}.user"), _text(user, key, f"{method}.user"))


def _credential_proof(given: dict[str, Any]) -> Proof:
    place = "application_credential"
    secret = _text(given, "secret", place)
    if "id" in given:
        return Proof(place, secret=secret, credential=Named(id=_text(given, "id", place)))
    user = _named(_object(given.get("user"), f"{place}.user"), f"{place}.user")
    return Proof(place, user, secret, Named(name=_text(given, "name", place)))


def _scope(raw: Any, is_given: bool) -> Scope:
    if not is_given or raw is None:
        return Scope("default")
    if raw == "unscoped":
        return Scope("unscoped")
    scope = _object(raw, "scope")
    kinds = [k for k in ("project", "domain", "system", "OS-TRUST:trust", "unscoped") if k in scope]
    if len(kinds) != 1:
        raise BadRequest("scope must hold exactly one of project, domain, system and OS-TRUST:trust.")
    kind = kinds[0]
    if kind == "unscoped":
        return Scope("unscoped")
    inner = _object(scope[kind], f"scope.{kind}")
    if kind == "system":
        if inner.get("all") is not True:
            raise BadRequest('The system scope is {"all": true}.')
        return Scope("system")
    if kind == "OS-TRUST:trust":
        return Scope("trust", Named(id=_text(inner, "id", "OS-TRUST:trust")))
    if kind == "project":
        return Scope("project", _named(inner, "scope.project"))
    if "id" in inner:
        return Scope("domain", Named(id=_text(inner, "id", "scope.domain")))
    return Scope("domain", Named(name=_text(inner, "name", "scope.domain")))
