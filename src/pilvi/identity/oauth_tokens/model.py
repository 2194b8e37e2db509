"""Signed requests of OAuth 1.0a (RFC 5849, HMAC with SHA-1 or SHA-256), and tokens on their way. Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pilvi.kernel.errors import BadRequest, Unauthorized

REQUEST_LIFETIME_S = 8 * 3600.0
ACCESS_LIFETIME_S = 24 * 3600.0
FRESH_S = 300.0
"""A request signed longer ago, or later, is a replay or a wrong clock."""
QUERY_LIMIT = 200
VERIFIER_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_DIGESTS = {"HMAC-SHA1": sha1, "HMAC-SHA256": sha256}


@dataclass(frozen=True, slots=True)
class OAuthToken:
    """A token that was asked for; an access token once `user_id` is known and it was fetched."""

    id: str
    consumer_id: str
    project_id: str
    encrypted_secret: str = field(repr=False)
    expires_at: float
    is_access: bool = False
    user_id: str = ""
    """Who gave the rights; empty until somebody did."""
    role_ids: list[str] = field(default_factory=list)
    verifier_hash: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a client signed, and with what."""

    method: str
    url: str
    query: str
    parameters: Mapping[str, str]
    """Of the Authorization header."""

    def get(self, name: str) -> str:
        return self.parameters.get(f"oauth_{name}", "")

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise BadRequest(f"The Authorization header needs oauth_{name}.")
        return value


def read(method: str, url: str, query: str, authorization: str) -> Signed:
    """The parts of `Authorization: OAuth a="…", b="…"`; raises Unauthorized for anything else."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "oauth":
        raise Unauthorized("Sign the request: Authorization: OAuth oauth_consumer_key=…, oauth_signature=….")
    found = {}
    for part in rest[:8192].split(","):
        name, _, value = part.strip().partition("=")
        found[unquote(name)] = unquote(value.strip('"')).replace("\0", "")
    return Signed(method, url, query, found)


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


def _base(url: str) -> str:
    """The URL without what is not signed: query, and the port that goes without saying."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}{parts.path}"


def signature(signed: Signed, consumer_secret: str, token_secret: str) -> str:
    """What the request must carry as its signature."""
    digest = _DIGESTS.get(signed.get("signature_method"))
    if digest is None:
        raise Unauthorized(f"oauth_signature_method must be one of {', '.join(_DIGESTS)}.")
    pairs = [(k, v) for k, v in signed.parameters.items() if k not in ("oauth_signature", "realm")]
    try:
        pairs += parse_qsl(signed.query, keep_blank_values=True, max_num_fields=QUERY_LIMIT)
        base = _base(signed.url)
    except ValueError:
        raise BadRequest(f"The URL is none, or its query has more than {QUERY_LIMIT} parameters.") from None
    joined = "&".join(f"{k}={v}" for k, v in sorted((_quoted(k), _quoted(v)) for k, v in pairs))
    text = "&".join(map(_quoted, (signed.method.upper(), base, joined)))
    key = f"{_quoted(consumer_secret)}&{_quoted(token_secret)}"
    return b64encode(hmac.new(key.encode(), text.encode(), digest).digest()).decode()


def is_right(signed: Signed, consumer_secret: str, token_secret: str) -> bool:
    expected = signature(signed, consumer_secret, token_secret)
    return hmac.compare_digest(expected.encode(), signed.get("signature").encode())


def is_fresh(signed: Signed, now: float) -> bool:
    stamp = signed.get("timestamp")
    return stamp.isdecimal() and len(stamp) < 20 and abs(now - int(stamp)) <= FRESH_S
