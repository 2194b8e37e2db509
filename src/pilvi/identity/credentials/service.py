"""What can be done with credentials. The blob is decrypted only to be shown to those who may see it, or to check."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Any

import orjson

from pilvi.identity import deletions
from pilvi.identity.application_credentials.service import check_unrestricted
from pilvi.identity.credentials import policy, store
from pilvi.identity.credentials.model import CERTIFICATE, EC2, TOTP, Credential, ec2_id
from pilvi.identity.keys import service as keys
from pilvi.identity.projects import service as projects
from pilvi.identity.users import service as users
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Fault, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query

DELEGATIONS = ("trust_id", "app_cred_id", "access_token_id")
"""What an EC2 pair keeps of the token that it was made with: it never can do more."""
MOST_PER_USER = 1000
PASSCODE_STEPS_KEPT = 10
"""More than the steps in which a passcode is accepted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A credential with its blob in clear."""

    id: str
    type: str
    blob: str
    user_id: str
    project_id: str | None
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An EC2 credential."""

    access: str
    secret: str
    user_id: str
    tenant_id: str | None
    trust_id: str | None = None
    app_cred_id: str | None = None
    access_token_id: str | None = None


def _clear(tx: Tx, credential: Credential) -> str:
    return keys.cipher(tx, "credential").decrypt(credential.encrypted_blob.encode()).decode()


def _shown(tx: Tx, credential: Credential) -> Shown:
    c = credential
    return Shown(c.id, c.type, _clear(tx, c), c.user_id, c.project_id, c.extra)


def _encrypted(tx: Tx, blob: Any) -> str:
    text = blob if isinstance(blob, str) else orjson.dumps(blob).decode()
    return keys.cipher(tx, "credential").encrypt(text.encode()).decode()


def _allowed(ctx: Context, tx: Tx, rule: Rule, id: str) -> Credential:
    credential = store.find(tx, id)
    rule.check(ctx, user_id=credential.user_id if credential else None)
    if credential is None:
        raise NotFound(f"Could not find credential: {id}.")
    return credential


def show(ctx: Context, tx: Tx, id: str) -> Shown:
    return _shown(tx, _allowed(ctx, tx, policy.SHOW, id))


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Shown]:
    sees_all = ctx.is_admin or (ctx.principal.system and "reader" in ctx.roles)
    user_id = query.get("user_id") if sees_all else ctx.user_id
    policy.LIST.check(ctx, user_id=user_id)
    if not sees_all and query.get("user_id") not in (None, ctx.user_id):
        raise Forbidden("You may list your own credentials only.")
    found = store.search(tx, query, user_id)
    return Page([_shown(tx, c) for c in found.items], more=found.more)


def create(ctx: Context, tx: Tx, *, type: str, blob: Any, user_id: str, project_id: str | None, extra: Any) -> Shown:
    policy.CREATE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    _check_count(tx, user_id)
    id = ids.hexid()
    if type == EC2:
        if not project_id:
            raise BadRequest("An EC2 credential needs a project_id.")
        pair = _ec2_blob(blob)
        blob, id = {**pair, **_delegation(ctx, project_id)}, ec2_id(str(pair["access"]))
    credential = Credential(id, type, user_id, project_id, _encrypted(tx, blob), extra)
    store.add(tx, credential)
    ctx.about("credential", id)
    return _shown(tx, credential)


def _check_count(tx: Tx, user_id: str) -> None:
    if store.count(tx, user_id) >= MOST_PER_USER:
        raise Forbidden(f"A user may have {MOST_PER_USER} credentials; delete some.")


def _delegation(ctx: Context, project_id: str | None) -> dict[str, str | None]:
    """What the caller's token was given to act with, and only where."""
    validated = ctx.principal.token
    if validated is None or not validated.token.is_delegated:
        return dict.fromkeys(DELEGATIONS)
    token = validated.token
    if project_id != (token.scope_id or None):
        raise Forbidden("A token with rights that somebody handed on makes credentials for its own project only.")
    texts = (token.trust_id, token.application_credential_id, token.access_token_id)
    return {name: text or None for name, text in zip(DELEGATIONS, texts, strict=True)}


def _ec2_blob(blob: Any) -> dict[str, Any]:
    try:
        found = orjson.loads(blob) if isinstance(blob, str) else blob
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("access"), str) or not found.get("secret"):
        raise BadRequest("The blob of an EC2 credential is JSON with `access` and `secret`.")
    return found


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Shown:
    credential = _allowed(ctx, tx, policy.UPDATE, id)
    check_unrestricted(ctx)
    if changes.get("user_id") not in (None, credential.user_id):
        policy.UPDATE.check(ctx, user_id=changes["user_id"])
    if "blob" in changes:
        blob = changes.pop("blob")
        if changes.get("type", credential.type) == EC2:
            blob = {**_ec2_blob(blob), **_kept_delegation(ctx, tx, credential, changes)}
        changes["encrypted_blob"] = _encrypted(tx, blob)
    if "extra" in changes:
        changes["extra"] = {**credential.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
    return _shown(tx, replace(credential, **changes))


def _kept_delegation(ctx: Context, tx: Tx, credential: Credential, changes: dict[str, Any]) -> dict[str, Any]:
    """A pair that was made with handed-on rights stays bound to them, whatever its new blob says."""
    if credential.type != EC2:
        return _delegation(ctx, changes.get("project_id", credential.project_id))
    old = _ec2_blob(_clear(tx, credential))
    return {name: old.get(name) for name in DELEGATIONS}


def delete(ctx: Context, tx: Tx, id: str) -> None:
    _allowed(ctx, tx, policy.DELETE, id)
    check_unrestricted(ctx)
    ctx.about("credential", id)
    store.delete(tx, id)


def certificate(tx: Tx, id: str, *, user_id: str, project_id: str) -> str | None:
    """The text of a certificate that belongs to the user or the project."""
    found = store.find(tx, id)
    if found is None or found.type != CERTIFICATE:
        return None
    is_theirs = found.user_id == user_id or (bool(project_id) and found.project_id == project_id)
    return _clear(tx, found) if is_theirs else None


def totp_secrets(tx: Tx, user_id: str) -> dict[str, str]:
    """The seeds from which a user's one-time passcodes may come, by the credential's id."""
    return {c.id: _clear(tx, c) for c in store.of_user(tx, user_id, TOTP)}


def use_passcode(tx: Tx, credential_id: str, step: int, used: Fault) -> None:
    """A passcode is good once: raises `used` the second time, however many ask at the same moment."""
    store.use_passcode(tx, credential_id, step, forget_before=step - PASSCODE_STEPS_KEPT, used=used)


@deletions.user
def _release_user(tx: Tx, user_id: str) -> None:
    store.forget_user(tx, user_id)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    store.forget_project(tx, project_id)


HOLDER = keys.Holder(store.encrypted_after, lambda tx, key, text: store.update(tx, key, {"encrypted_blob": text}))


# ---- EC2 ---------------------------------------------------------------------------------------------------------


def _pair(tx: Tx, credential: Credential) -> KeyPair:
    blob = orjson.loads(_clear(tx, credential))
    bound = {name: blob.get(name) for name in DELEGATIONS}
    return KeyPair(blob["access"], blob["secret"], credential.user_id, credential.project_id, **bound)


def create_pair(ctx: Context, tx: Tx, user_id: str, project_id: str) -> KeyPair:
    policy.EC2_CREATE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    users.get(tx, user_id)
    projects.get(tx, project_id)
    _check_count(tx, user_id)
    bound = _delegation(ctx, project_id)
    pair = KeyPair(ids.hexid(), urlsafe_b64encode(ids.random_bytes(30)).decode(), user_id, project_id, **bound)
    blob = {"access": pair.access, "secret": pair.secret, **bound}
    store.add(tx, Credential(ec2_id(pair.access), EC2, user_id, project_id, _encrypted(tx, blob)))
    ctx.about("credential", ec2_id(pair.access))
    return pair


def pairs(ctx: Context, tx: Tx, user_id: str) -> list[KeyPair]:
    policy.EC2_LIST.check(ctx, user_id=user_id)
    users.get(tx, user_id)
    return [_pair(tx, c) for c in store.of_user(tx, user_id, EC2)]


def _own_pair(tx: Tx, user_id: str, access: str) -> Credential:
    credential = store.find(tx, ec2_id(access))
    if credential is None or credential.user_id != user_id:
        raise NotFound(f"Could not find credential: {access}.")
    return credential


def pair(ctx: Context, tx: Tx, user_id: str, access: str) -> KeyPair:
    policy.EC2_SHOW.check(ctx, user_id=user_id)
    return _pair(tx, _own_pair(tx, user_id, access))


def delete_pair(ctx: Context, tx: Tx, user_id: str, access: str) -> None:
    policy.EC2_DELETE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    store.delete(tx, _own_pair(tx, user_id, access).id)


def find_pair(tx: Tx, access: str) -> KeyPair | None:
    credential = store.find(tx, ec2_id(access))
    if credential is None or credential.type != EC2:
        return None
    pair = _pair(tx, credential)
    return pair if pair.access == access else None  # The blob may have been replaced since the id was made.
