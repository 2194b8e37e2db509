"""What a provider asserts, under the names that mappings use; a browser's login on its way; ids of users. Pure."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

from pilvi.identity.identity_providers.model import IdentityProvider, Protocol
from pilvi.identity.mappings.model import Mapping as Rules
from pilvi.identity.tokens.model import METHODS

SSO_LIFETIME_S = 600.0
"""How long one may take to log in at the provider."""
COOKIE = "pilvi_sso"
CALLBACK = "/v3/auth/OS-FEDERATION/websso/callback"
"""Where providers send browsers back to: register this URL there."""
_PREFIX = re.compile(r"^(HTTP_)?(OIDC[-_])(CLAIM[-_])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Door:
    """One way in."""

    provider: IdentityProvider
    protocol: Protocol
    mapping: Rules


@dataclass(frozen=True, slots=True)
class Sso:
    """A browser's login between leaving and coming back; sealed in its cookie."""

    idp_id: str
    protocol_id: str
    origin: str
    state: str
    nonce: str
    verifier: str
    ends_at: float

    @property
    def challenge(self) -> str:
        """What the provider keeps of the verifier (PKCE, S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Asserted(Mapping[str, Sequence[str]]):
    """Claims as attributes: `email`, `OIDC-email`, `HTTP_OIDC_EMAIL` and `OIDC_CLAIM_email` are the same one.

    Mappings that were written for a web server in front of the API work without a change. `REMOTE_USER` is `sub`.
    """

    def __init__(self, claims: Mapping[str, Any]) -> None:
        self._values = {_plain(name): _texts(value) for name, value in claims.items()}
        self._values["remote_user"] = self._values.get("sub", [])

    def __getitem__(self, name: str) -> Sequence[str]:
        return self._values[_plain(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _plain(name: str) -> str:
    return _PREFIX.sub("", name).lower().replace("-", "_")


def _texts(value: Any) -> list[str]:
    """A claim as texts; several in one text are apart by semicolons."""
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, str):
        return [part.strip() for part in value.replace("\0", "").split(";") if part.strip()]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)] if isinstance(value, int | float) else []


def public_id(*parts: str) -> str:
    """The id here of somebody who has another one elsewhere: always the same, 64 digits, tells nothing."""
    return sha256("\0".join(parts).encode()).hexdigest()


def method_of(protocol_id: str) -> str:
    """What a token says about how its user came in."""
    return protocol_id if protocol_id in METHODS else "mapped"


_SUBMIT = "document.forms[0].submit()"


def handover(origin: str, token: str) -> tuple[bytes, str]:
    """The page that hands a token to a dashboard by submitting itself, and the only things that it may do."""
    page = f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Logging in</title></head><body>
<form action="{escape(origin)}" method="post"><input type="hidden" name="token" value="{escape(token)}">
<noscript><p>You are logged in.</p><button type="submit">Go on</button></noscript></form>
<script>{_SUBMIT}</script></body></html>
"""
    digest = "sha256-" + _base64(sha256(_SUBMIT.encode()).digest())
    return page.encode(), f"default-src 'none'; script-src '{digest}'; frame-ancestors 'none'; base-uri 'none'"


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()
