"""A login on its way, between the transaction that finds out what to check and the one that issues the token."""

import hmac
import struct
from base64 import b32decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1

from pilvi.identity.application_credentials.model import ApplicationCredential
from pilvi.identity.directories.model import Plan
from pilvi.identity.oauth_tokens.model import Signed
from pilvi.identity.projects.model import Project
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens.model import Request
from pilvi.identity.users.model import User


@dataclass(slots=True)
class Check:
    """A secret and the hash that it must fit; without a hash it is checked against nothing and is wrong."""

    secret: str = field(repr=False)
    hashed: str | None
    is_password: bool = True


@dataclass(frozen=True, slots=True)
class DirectoryCheck:
    """A password of somebody in a directory, known by a name, or by what the directory calls them."""

    plan: Plan
    name: str
    local_id: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Login:
    request: Request
    user: User | None = None
    user_domain: Project | None = None
    is_sound: bool = True
    """False as soon as anything is wrong; the checks run all the same, so that time tells nothing."""
    checks: list[Check] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    parent: Validated | None = None
    """The token that this one is made from."""
    credential: ApplicationCredential | None = None
    directory_checks: list[DirectoryCheck] = field(default_factory=list)
    """Passwords that only a directory can tell right from wrong."""
    signed: Signed | None = None
    """The request itself, where its signature is the proof."""
    passcodes: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """One-time passcodes, each with the secrets that it may come from, by the credential's id."""


PASSCODE_STEP_S = 30
RECEIPT_LIFETIME_S = 300.0
"""How long one may take between the first and the last method of a login."""


def passcode(secret: str, step: int) -> str | None:
    """The six digits of one step (RFC 6238), or None for what is no secret in base 32."""
    try:
        key = b32decode(secret.upper() + "=" * (-len(secret) % 8))
    except ValueError:
        return None
    digest = hmac.new(key, struct.pack(">Q", step), sha1).digest()
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def fitting_passcode(given: str, secrets: Mapping[str, str], now: float) -> tuple[str, int] | None:
    """Credential and step that these digits are of, this step or the one before. Tries all, whatever it finds."""
    step = int(now // PASSCODE_STEP_S)
    found = None
    for id, secret in secrets.items():
        for back in (0, 1):
            code = passcode(secret, step - back)
            if code is not None and hmac.compare_digest(code.encode(), given.encode()):
                found = (id, step - back)
    return found


def missing_methods(user: User, methods: Iterable[str]) -> list[list[str]]:
    """What the user's rules demand beyond these methods; nothing when one rule is met or there are none."""
    rules = user.options.get("multi_factor_auth_rules") or []
    if not rules or not user.options.get("multi_factor_auth_enabled", True):
        return []
    done = set(methods)
    return [] if any(set(rule) <= done for rule in rules) else [list(rule) for rule in rules]
