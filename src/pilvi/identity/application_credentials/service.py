"""What can be done with application credentials and access rules. Only the user makes them, with a token of theirs."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.application_credentials import policy, store
from pilvi.identity.application_credentials.model import AccessRule, ApplicationCredential
from pilvi.identity.epochs import service as epochs
from pilvi.identity.roles import service as roles
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

MOST_PER_USER = 1000
"""Application credentials, and access rules, of one user."""


@dataclass(slots=True)
class Shown:
    """A credential as its view wants it: roles and access rules looked up, the secret only when it is made."""

    id: str
    name: str
    description: str
    user_id: str
    project_id: str
    roles: list[dict[str, Any]]
    expires_at: str | None
    unrestricted: bool
    access_rules: list[dict[str, Any]] | None
    secret: str = ""


def new_secret() -> str:
    return urlsafe_b64encode(ids.random_bytes(64)).rstrip(b"=").decode()


def shown(tx: Tx, credential: ApplicationCredential, secret: str = "") -> Shown:
    known = roles.graph(tx).roles
    its_roles = [known[id] for id in credential.role_ids if id in known]
    return Shown(
        credential.id, credential.name, credential.description, credential.user_id, credential.project_id,
        [{"id": r.id, "name": r.name, "domain_id": r.domain_id or None} for r in its_roles],
        credential.expires_at, credential.unrestricted, rules_of(tx, credential), secret,
    )  # fmt: skip


def rules_of(tx: Tx, credential: ApplicationCredential) -> list[dict[str, Any]] | None:
    if credential.access_rule_ids is None:
        return None
    found = store.rules(tx, credential.access_rule_ids) if credential.access_rule_ids else []
    return [{"id": r.id, "service": r.service, "method": r.method, "path": r.path} for r in found]


def find(tx: Tx, id: str) -> ApplicationCredential | None:
    return store.find(tx, id)


def find_named(tx: Tx, user_id: str, name: str) -> ApplicationCredential | None:
    return store.find_named(tx, user_id, name)


def _get(tx: Tx, user_id: str, id: str) -> ApplicationCredential:
    credential = store.find(tx, id)
    if credential is None or credential.user_id != user_id:
        raise NotFound(f"Could not find Application Credential: {id}.")
    return credential


def list_of_user(ctx: Context, tx: Tx, user_id: str, query: Query) -> Page[Shown]:
    policy.LIST.check(ctx, user_id=user_id)
    found = store.of_user(tx, user_id, query)
    return Page([shown(tx, c) for c in found.items], more=found.more)


def show(ctx: Context, tx: Tx, user_id: str, id: str) -> Shown:
    policy.SHOW.check(ctx, user_id=user_id)
    return shown(tx, _get(tx, user_id, id))


def check_unrestricted(ctx: Context) -> None:
    """A credential made for a program must not breed others, unless its owner wanted that."""
    credential = ctx.principal.token.application_credential if ctx.principal.token is not None else None
    if credential is not None and not credential.unrestricted:
        raise Forbidden("Using method 'application_credential' is not allowed for managing additional credentials.")


def create(
    ctx: Context, tx: Tx, user_id: str, wanted: ApplicationCredential, asked_roles: list[Any], asked_rules: Any,
    secret: str,
) -> Shown:  # fmt: skip
    policy.CREATE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    _check_delegation(ctx, tx, user_id)
    if not ctx.project_id:
        raise BadRequest("Application credentials are for a project: use a token scoped to one.")
    if wanted.expires_at is not None and clock.parse(wanted.expires_at) <= clock.now():
        raise BadRequest("expires_at must be in the future.")
    parent = ctx.principal.token.application_credential
    expires_at = clock.timestamp(clock.parse(wanted.expires_at)) if wanted.expires_at else None
    if parent is not None and parent.expires_at is not None:
        expires_at = min(expires_at or parent.expires_at, parent.expires_at)
    credential = ApplicationCredential(
        id=ids.hexid(), user_id=user_id, project_id=ctx.project_id, name=wanted.name, description=wanted.description,
        secret_hash=wanted.secret_hash, role_ids=_role_ids(ctx, asked_roles), unrestricted=wanted.unrestricted,
        expires_at=expires_at, access_rule_ids=_rule_ids(tx, user_id, parent, asked_rules),
        parent_id=parent.id if parent is not None else "",
    )  # fmt: skip
    store.add(tx, credential)
    ctx.about("application_credential", credential.id, credential.name)
    return shown(tx, credential, secret)


def _check_delegation(ctx: Context, tx: Tx, user_id: str) -> None:
    """Rights that were handed on for a purpose are not made to last; and nobody hoards credentials."""
    token = ctx.principal.token.token
    if token.trust_id or token.access_token_id:
        raise Forbidden("A token with rights that somebody handed on cannot make application credentials.")
    if store.count(tx, user_id) >= MOST_PER_USER:
        raise Forbidden(f"A user may have {MOST_PER_USER} application credentials; delete some.")


def _rule_ids(tx: Tx, user_id: str, parent: ApplicationCredential | None, asked: Any) -> list[str] | None:
    """The rules asked for; a credential that only allows some requests hands on those and no others. An empty list asks
    for none, as the stock client sends it with every credential."""
    found = [_rule(tx, user_id, r).id for r in asked] if asked else None
    if parent is not None and parent.access_rule_ids is not None:
        if found is None:
            return parent.access_rule_ids
        if not set(found) <= set(parent.access_rule_ids):
            raise Forbidden("Some of the access rules are not among those of the credential that you use.")
    return found


def _role_ids(ctx: Context, asked: list[Any]) -> list[str]:
    """The roles asked for, all of them among those of the token; without any, all of the token's."""
    own = {role.id: role.name for role in ctx.principal.token.roles}
    if not asked:
        return list(own)
    by_name = {name: id for id, name in own.items()}
    found: list[str] = []
    for role in asked:
        id: str | None = role["id"] if "id" in role else by_name.get(role["name"])
        if id is None or id not in own:
            raise BadRequest(f"Role {role.get('id') or role.get('name')} is not among the roles of your token.")
        found.append(id)
    return found


def _rule(tx: Tx, user_id: str, asked: dict[str, str]) -> AccessRule:
    if "id" in asked:
        rule = store.find_rule(tx, user_id, asked["id"])
        if rule is None:
            raise NotFound(f"Could not find Access Rule: {asked['id']}.")
        return rule
    same = store.find_same_rule(tx, user_id, asked["service"], asked["method"], asked["path"])
    if same is None:
        if store.count_rules(tx, user_id) >= MOST_PER_USER:
            raise Forbidden(f"A user may have {MOST_PER_USER} access rules; delete some.")
        same = AccessRule(ids.hexid(), user_id, asked["service"], asked["method"], asked["path"])
        store.add_rule(tx, same)
    return same


def delete(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    policy.DELETE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    credential = _get(tx, user_id, id)
    ctx.about("application_credential", id, credential.name)
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    """With all that were made with it."""
    for child in store.children(tx, id):
        remove(tx, child)
    deletions.application_credential.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.user
def _release_user(tx: Tx, user_id: str) -> None:
    store.forget_user(tx, user_id)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    store.forget_project(tx, project_id)


# ---- access rules ------------------------------------------------------------------------------------------------


def list_rules(ctx: Context, tx: Tx, user_id: str, query: Query) -> Page[AccessRule]:
    policy.LIST_RULES.check(ctx, user_id=user_id)
    return store.rules_of_user(tx, user_id, query)


def show_rule(ctx: Context, tx: Tx, user_id: str, id: str) -> AccessRule:
    policy.SHOW_RULE.check(ctx, user_id=user_id)
    rule = store.find_rule(tx, user_id, id)
    if rule is None:
        raise NotFound(f"Could not find Access Rule: {id}.")
    return rule


def delete_rule(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    policy.DELETE_RULE.check(ctx, user_id=user_id)
    check_unrestricted(ctx)
    if store.find_rule(tx, user_id, id) is None:
        raise NotFound(f"Could not find Access Rule: {id}.")
    if any(id in (c.access_rule_ids or ()) for c in store.all_of_user(tx, user_id)):
        raise Forbidden(f"Access rule {id} is in use by an application credential and cannot be deleted.")
    store.delete_rule(tx, id)
