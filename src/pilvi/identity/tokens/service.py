"""Opens, checks, issues and revokes tokens."""

from collections.abc import Iterable
from dataclasses import replace

from cryptography.fernet import InvalidToken

from pilvi.identity import settings
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import service as keys
from pilvi.identity.rights import service as rights
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens import policy, store
from pilvi.identity.tokens.model import Token, audit_text, pack, unpack
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound, Unauthorized

LONGEST = 1000
"""Characters of a token; more cannot be one of ours."""


def now_us() -> int:
    return int(clock.now() * 1_000_000)


def validate(tx: Tx, text: str, *, grace_s: float = 0.0) -> Validated:
    """What a token comes to now; raises Unauthorized. `grace_s` lets one pass that ended that long ago."""
    validated = epochs.cached(tx, text, lambda: _validate(tx, text))
    if now_us() >= validated.token.expires_us + grace_s * 1_000_000:
        raise rights.refused()
    if validated.rights.ends:  # By themselves, at a time of their own.
        return Validated(validated.token, rights.of(tx, validated.token))
    return validated


def _validate(tx: Tx, text: str) -> Validated:
    token = _open(tx, text)
    if store.is_revoked(tx, token.audit_ids[0]):
        raise rights.refused()
    found = rights.of(tx, token)
    if token.issued_us < found.tokens_after:
        raise rights.refused()
    return Validated(token, found)


def _open(tx: Tx, text: str) -> Token:
    if not text or len(text) > LONGEST:
        raise rights.refused()
    try:
        return unpack(keys.cipher(tx, "token").decrypt(text.encode() + b"=" * (-len(text) % 4)))
    except (InvalidToken, ValueError, IndexError, KeyError):
        raise rights.refused() from None


def issue(tx: Tx, token: Token) -> tuple[str, Validated]:
    """Sign a token whose rights hold; raises Unauthorized when they do not."""
    validated = Validated(token, rights.of(tx, token))
    return keys.cipher(tx, "token").encrypt(pack(token)).rstrip(b"=").decode(), validated


def fresh(user_id: str, methods: Iterable[str], parent: Token | None = None) -> Token:
    """A token without a scope yet. One made from another ends with it and names the first of the chain."""
    now = now_us()
    audit_ids: tuple[str, ...] = (audit_text(ids.random_bytes(16)),)
    expires_us = now + int(settings.current.token_lifetime_s * 1_000_000)
    if parent is not None:
        audit_ids = (*audit_ids, parent.audit_ids[-1])
        expires_us = parent.expires_us
    token = Token(user_id, tuple(dict.fromkeys(methods)), "unscoped", "", now, expires_us, audit_ids)
    return token if parent is None else replace(token, idp_id=parent.idp_id, protocol_id=parent.protocol_id)


def scoped(token: Token, scope: str, scope_id: str = "") -> Token:
    return replace(token, scope=scope, scope_id=scope_id)


def through(token: Token, idp_id: str, protocol_id: str) -> Token:
    """A token of somebody who came in through an identity provider."""
    return replace(token, idp_id=idp_id, protocol_id=protocol_id)


def with_delegation(
    token: Token, *, credential_id: str = "", trust_id: str = "", access_token_id: str = "", user_id: str = ""
) -> Token:
    """A token that acts with somebody's delegated roles."""
    return replace(
        token, user_id=user_id or token.user_id, application_credential_id=credential_id, trust_id=trust_id,
        access_token_id=access_token_id,
    )  # fmt: skip


# ---- for the API -------------------------------------------------------------------------------------------------


def subject(tx: Tx, text: str, *, grace_s: float = 0.0) -> Validated:
    """The token that a request is about: unknown is 404, for the caller's own token is a different one."""
    try:
        return validate(tx, text, grace_s=grace_s)
    except Unauthorized:
        raise NotFound("Could not find token.") from None


def revoke(ctx: Context, tx: Tx, text: str) -> None:
    found = subject(tx, text)
    policy.REVOKE.check(ctx, user_id=found.token.user_id)
    store.revoke(
        tx, found.token.audit_ids[0], found.token.expires_us / 1_000_000 + settings.current.expired_token_grace_s
    )
    epochs.bump(tx)
