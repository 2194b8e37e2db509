"""The dance: a request token, a user's word, an access token, a login. Everything signed, fresh, and once."""

import hmac
from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import service as keys
from pilvi.identity.oauth_consumers import service as consumers
from pilvi.identity.oauth_tokens import policy, store
from pilvi.identity.oauth_tokens.model import (
    ACCESS_LIFETIME_S,
    FRESH_S,
    REQUEST_LIFETIME_S,
    VERIFIER_LETTERS,
    OAuthToken,
    Signed,
    is_fresh,
    is_right,
)
from pilvi.identity.passwords import hash_secret
from pilvi.identity.projects import service as projects
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.roles import service as roles
from pilvi.identity.roles.model import Role
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound, Unauthorized
from pilvi.kernel.policy import Rule

MOST_PER_CONSUMER = 10_000

HOLDER = keys.Holder(store.encrypted_after, lambda tx, key, text: store.update(tx, key, {"encrypted_secret": text}))


def _refused() -> Unauthorized:
    """One message for all reasons: who fails learns nothing."""
    return Unauthorized("The signature, its time, or the token that it is for cannot be believed.")


def _secret(tx: Tx, token: OAuthToken) -> str:
    return keys.cipher(tx, "credential").decrypt(token.encrypted_secret.encode()).decode()


def _new(tx: Tx, token: OAuthToken) -> tuple[OAuthToken, str]:
    """The token with a secret of its own."""
    secret = ids.hexid()
    token = replace(
        token, id=ids.hexid(), encrypted_secret=keys.cipher(tx, "credential").encrypt(secret.encode()).decode()
    )
    store.add(tx, token)
    return token, secret


def _check(tx: Tx, signed: Signed, token: OAuthToken | None = None) -> str:
    """The request is a consumer's, signed now and for the first time; the consumer's id."""
    consumer_id, nonce = signed.need("consumer_key"), signed.need("nonce")
    secret = consumers.find_secret(tx, consumer_id)
    now = clock.now()
    mine = token is None or (token.consumer_id == consumer_id and token.expires_at > now)
    token_secret = _secret(tx, token) if token is not None else ""
    if secret is None or not mine or not is_fresh(signed, now) or not is_right(signed, secret, token_secret):
        raise _refused()
    if len(nonce) > 64:
        raise BadRequest("oauth_nonce may have 64 characters.")
    store.use_nonce(tx, consumer_id, nonce, now=now, forget_at=now + 2 * FRESH_S, used=_refused())
    return consumer_id


# ---- the consumer ------------------------------------------------------------------------------------------------


def ask(tx: Tx, signed: Signed, project_id: str) -> tuple[OAuthToken, str]:
    """A request token, which a user may say yes to."""
    consumer_id = _check(tx, signed)
    if projects.find(tx, project_id) is None:
        raise projects.missing(project_id)
    store.forget_ended(tx, consumer_id, clock.now())
    if store.count_of_consumer(tx, consumer_id) >= MOST_PER_CONSUMER:
        raise Forbidden(f"A consumer may have {MOST_PER_CONSUMER} tokens at once.")
    return _new(tx, OAuthToken("", consumer_id, project_id, "", clock.now() + REQUEST_LIFETIME_S))


def fetch(tx: Tx, signed: Signed) -> tuple[OAuthToken, str]:
    """An access token for a request token that a user said yes to; the request token is used up."""
    request = store.find(tx, signed.need("token"))
    if request is None or request.is_access or not request.user_id:
        raise _refused()
    _check(tx, signed, request)
    if not hmac.compare_digest(hash_secret(signed.need("verifier")), request.verifier_hash):
        raise _refused()
    store.forget(tx, id=request.id)
    access = replace(request, is_access=True, expires_at=clock.now() + ACCESS_LIFETIME_S, verifier_hash="")
    return _new(tx, access)


def log_in(tx: Tx, signed: Signed) -> OAuthToken:
    """The access token that a signed login names."""
    access = store.find(tx, signed.need("token"))
    if access is None or not access.is_access:
        raise _refused()
    _check(tx, signed, access)
    return access


# ---- the user ----------------------------------------------------------------------------------------------------


def authorize(ctx: Context, tx: Tx, id: str, asked: list[dict[str, Any]]) -> str:
    """Say yes with some of one's roles on the project; what the consumer must show that it was told."""
    policy.AUTHORIZE.check(ctx)
    if ctx.principal.token.token.is_delegated:
        raise Forbidden("A token with rights that somebody handed on cannot hand them on to a consumer.")
    request = store.find(tx, id)
    if request is None or request.is_access or request.expires_at <= clock.now():
        raise NotFound(f"Could not find OAuth request token: {id}.")
    if request.user_id:
        raise Forbidden("Somebody said yes to this request token already.")
    role_ids = _role_ids(ctx, tx, request.project_id, asked)
    raw = ids.random_bytes(8)
    verifier = "".join(VERIFIER_LETTERS[byte % len(VERIFIER_LETTERS)] for byte in raw)
    store.update(tx, id, {"user_id": ctx.user_id, "role_ids": role_ids, "verifier_hash": hash_secret(verifier)})
    return verifier


def _role_ids(ctx: Context, tx: Tx, project_id: str, asked: list[dict[str, Any]]) -> list[str]:
    own = {r.id: r.name for r in role_assignments.roles_on_project(tx, ctx.user_id, projects.get(tx, project_id))}
    by_name = {name: id for id, name in own.items()}
    found = []
    for role in asked:
        id = role["id"] if role.get("id") else by_name.get(str(role.get("name")), "")
        if id not in own:
            raise Unauthorized(f"You do not have the role {role.get('id') or role.get('name')} on the project.")
        found.append(id)
    return found


def find_access(tx: Tx, id: str) -> OAuthToken | None:
    """An access token that counts."""
    token = store.find(tx, id)
    return token if token is not None and token.is_access and token.expires_at > clock.now() else None


def _own(ctx: Context, tx: Tx, rule: Rule, user_id: str, id: str) -> OAuthToken:
    rule.check(ctx, user_id=user_id)
    token = store.find(tx, id)
    if token is None or not token.is_access or token.user_id != user_id:
        raise NotFound(f"Could not find OAuth access token: {id}.")
    return token


def list_of_user(ctx: Context, tx: Tx, user_id: str) -> list[OAuthToken]:
    policy.LIST.check(ctx, user_id=user_id)
    if ctx.principal.token.token.is_delegated:
        raise Forbidden("A token with rights that somebody handed on cannot list access tokens.")
    return store.of_user(tx, user_id)


def show(ctx: Context, tx: Tx, user_id: str, id: str) -> OAuthToken:
    return _own(ctx, tx, policy.SHOW, user_id, id)


def delete(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    """The tokens that were made with it end."""
    _own(ctx, tx, policy.DELETE, user_id, id)
    store.forget(tx, id=id)
    epochs.bump(tx)


def roles_of(ctx: Context, tx: Tx, user_id: str, id: str) -> list[Role]:
    token = _own(ctx, tx, policy.LIST_ROLES, user_id, id)
    known = roles.graph(tx).roles
    return [known[role_id] for role_id in token.role_ids if role_id in known]


def role_of(ctx: Context, tx: Tx, user_id: str, id: str, role_id: str) -> Role:
    token = _own(ctx, tx, policy.SHOW_ROLE, user_id, id)
    if role_id not in token.role_ids:
        raise roles.missing(role_id)
    return roles.get(tx, role_id)


# ---- when something goes -----------------------------------------------------------------------------------------


@deletions.user
def _release_user(tx: Tx, user_id: str) -> None:
    store.forget(tx, user_id=user_id)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    store.forget(tx, project_id=project_id)


@deletions.consumer
def _release_consumer(tx: Tx, consumer_id: str) -> None:
    store.forget(tx, consumer_id=consumer_id)
    epochs.bump(tx)
