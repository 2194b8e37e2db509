"""Checks of AWS signatures, versions 2 and 4, as the public specification describes them. Pure."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import quote

from pilvi.kernel.errors import BadRequest

FRESH_S = 900.0
"""A signature older or newer than this is a replay or a wrong clock."""
_V4 = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that somebody signed, as the service that received it describes it."""

    access: str
    signature: str
    verb: str
    host: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body_hash: str


def read(raw: Any) -> Signed:
    given = raw.get("credentials") or raw.get("ec2Credentials") if isinstance(raw, dict) else None
    if not isinstance(given, dict) or not isinstance(given.get("access"), str):
        raise BadRequest("The body needs `credentials` with `access` and `signature`.")
    params, headers = given.get("params") or {}, given.get("headers") or {}
    if not isinstance(params, dict) or not isinstance(headers, dict):
        raise BadRequest("`params` and `headers` are mappings.")
    texts = {n: str(given.get(n) or "") for n in ("signature", "verb", "host", "path", "body_hash")}
    return Signed(
        access=given["access"],
        params={str(k): str(v) for k, v in params.items()},
        headers={str(k).lower(): str(v) for k, v in headers.items()},
        **texts,
    )


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _canonical_query(params: Mapping[str, str], but: str) -> str:
    pairs = sorted((_quoted(k), _quoted(v)) for k, v in params.items() if k != but)
    return "&".join(f"{k}={v}" for k, v in pairs)


def is_right(signed: Signed, secret: str, now: float) -> bool:
    """Whether the signature fits and is fresh."""
    authorization = signed.headers.get("authorization", "")
    if authorization.startswith(_V4) or signed.params.get("X-Amz-Algorithm") == _V4:
        return _is_right_v4(signed, secret, authorization, now)
    return _is_right_v2(signed, secret, now)


def _is_fresh(stamp: str, form: str, now: float) -> bool:
    try:
        moment = datetime.strptime(stamp, form).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - moment.timestamp()) <= FRESH_S


def _is_right_v2(signed: Signed, secret: str, now: float) -> bool:
    stamp = signed.params.get("Timestamp", "")
    if not _is_fresh(stamp[:19], "%Y-%m-%dT%H:%M:%S", now):
        return False
    digest = sha1 if signed.params.get("SignatureMethod") == "HmacSHA1" else sha256
    query = _canonical_query(signed.params, "Signature")
    text = f"{signed.verb}\n{signed.host.lower()}\n{signed.path}\n{query}"
    expected = b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
    return hmac.compare_digest(expected, signed.signature)


def signing_key(secret: str, scope: str) -> bytes:
    """The key of one day, region and service: `20261122/RegionOne/s3/aws4_request`."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def _authorization(text: str) -> dict[str, str]:
    """The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`."""
    pairs = (part.strip().partition("=") for part in text.removeprefix(_V4).split(","))
    return {name: value for name, _, value in pairs}


def _is_right_v4(signed: Signed, secret: str, authorization: str, now: float) -> bool:
    parts = _authorization(authorization)
    credential = parts.get("Credential") or signed.params.get("X-Amz-Credential", "")
    names = parts.get("SignedHeaders") or signed.params.get("X-Amz-SignedHeaders", "")
    date = signed.headers.get("x-amz-date") or signed.params.get("X-Amz-Date", "")
    signature = parts.get("Signature") or signed.params.get("X-Amz-Signature") or signed.signature
    access, _, scope = credential.partition("/")
    if access != signed.access or not _is_fresh(date, "%Y%m%dT%H%M%SZ", now) or scope[:8] != date[:8]:
        return False
    headers = "".join(f"{n}:{' '.join(signed.headers.get(n, '').split())}\n" for n in names.split(";"))
    query = _canonical_query(signed.params, "X-Amz-Signature") if signed.verb != "POST" else ""
    request = "\n".join((signed.verb, signed.path, query, headers, names, signed.body_hash))
    text = "\n".join((_V4, date, scope, sha256(request.encode()).hexdigest()))
    expected = hmac.new(signing_key(secret, scope), text.encode(), sha256).hexdigest()
    return hmac.compare_digest(expected, signature)


def is_right_s3(token: str, signature: str, secret: str) -> bool:
    """S3 services hand over the text that was signed, base64-encoded, instead of the request."""
    try:
        text = b64decode(token, validate=True)
    except (Base64Error, ValueError):
        return False
    lines = text.split(b"\n")
    if lines[0] == _V4.encode():
        if len(lines) != 4:
            return False
        key = signing_key(secret, lines[2].decode(errors="replace"))
        expected = hmac.new(key, text, sha256).hexdigest()
    else:
        expected = b64encode(hmac.new(secret.encode(), text, sha1).digest()).decode()
    return hmac.compare_digest(expected, signature)
