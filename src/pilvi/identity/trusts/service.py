"""What can be done with trusts."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.application_credentials.service import check_unrestricted
from pilvi.identity.epochs import service as epochs
from pilvi.identity.projects import service as projects
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.roles import service as roles
from pilvi.identity.roles.model import Role
from pilvi.identity.trusts import policy, store
from pilvi.identity.trusts.model import LONGEST_CHAIN, Trust
from pilvi.identity.users import service as users
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query

MOST_PER_USER = 1000


def find(tx: Tx, id: str) -> Trust | None:
    return store.find(tx, id)


def has_expired(trust: Trust) -> bool:
    return trust.expires_at is not None and clock.parse(trust.expires_at) <= clock.now()


def use_once(tx: Tx, trust: Trust) -> bool:
    """Count one token; False when the trust is used up."""
    return trust.remaining_uses is None or store.use_once(tx, trust.id)


def roles_of(tx: Tx, trust: Trust) -> list[Role]:
    known = roles.graph(tx).roles
    return [known[id] for id in trust.role_ids if id in known]


def _allowed(ctx: Context, tx: Tx, id: str, rule: Rule) -> Trust:
    trust = store.find(tx, id)
    if trust is None:
        rule.allows(ctx)
        raise NotFound(f"Could not find trust: {id}.")
    rule.check(ctx, trustor_id=trust.trustor_user_id, trustee_id=trust.trustee_user_id)
    if trust.is_over():
        raise NotFound(f"Could not find trust: {id}.")
    return trust


def show(ctx: Context, tx: Tx, id: str) -> Trust:
    return _allowed(ctx, tx, id, policy.SHOW)


def list_all(ctx: Context, tx: Tx, query: Query) -> list[Trust]:
    trustor, trustee = query.get("trustor_user_id"), query.get("trustee_user_id")
    if not trustor and not trustee:
        policy.LIST.check(ctx)
    if trustor:
        policy.LIST_FOR_TRUSTOR.check(ctx, trustor_id=trustor)
    if trustee:
        policy.LIST_FOR_TRUSTEE.check(ctx, trustee_id=trustee)
    ctx.checked.add(policy.LIST.name)
    return [t for t in store.search(tx, trustor_user_id=trustor, trustee_user_id=trustee) if not t.is_over()]


def create(
    ctx: Context, tx: Tx, wanted: Trust, asked_roles: list[Any], *, may_redelegate: bool, asked_count: int
) -> Trust:
    policy.CREATE.check(ctx, trustor_id=wanted.trustor_user_id)
    check_unrestricted(ctx)
    _check_delegation(ctx, tx, wanted)
    users.get(tx, wanted.trustee_user_id)
    if wanted.expires_at is not None and clock.parse(wanted.expires_at) <= clock.now():
        raise BadRequest("expires_at must be in the future.")
    if wanted.project_id and not asked_roles:
        raise Forbidden("At least one role should be specified.")
    trust = replace(
        wanted, id=ids.hexid(), created_at=clock.timestamp(), role_ids=_role_ids(ctx, tx, wanted, asked_roles)
    )
    parent = ctx.principal.token.trust
    if parent is None:
        count = min(asked_count, LONGEST_CHAIN) if may_redelegate else 0
        if asked_count > LONGEST_CHAIN:
            raise Forbidden(f"A trust can be handed on {LONGEST_CHAIN} times at most.")
        trust = replace(trust, redelegation_count=count)
    else:
        trust = _handed_on(parent, trust, may_redelegate=may_redelegate)
    store.add(tx, trust)
    ctx.about("trust", trust.id)
    return trust


def _check_delegation(ctx: Context, tx: Tx, wanted: Trust) -> None:
    """What was handed on for one purpose is not handed on for another; and nobody hoards trusts."""
    if ctx.principal.token.token.access_token_id:
        raise Forbidden("A token with rights that somebody handed on to a consumer cannot make trusts.")
    if ctx.principal.token.application_credential is not None and wanted.project_id not in (None, ctx.project_id):
        raise Forbidden("An application credential makes trusts for its own project only.")
    if len(store.ids_of(tx, user_id=wanted.trustor_user_id)) >= MOST_PER_USER:
        raise Forbidden(f"A user may take part in {MOST_PER_USER} trusts; delete some.")


def _role_ids(ctx: Context, tx: Tx, trust: Trust, asked: list[Any]) -> list[str]:
    """Only roles that the trustor has on the project, and that the token has when it is an application credential's."""
    if not asked:
        return []
    project = projects.get(tx, trust.project_id or "")
    own = {r.id: r for r in role_assignments.roles_on_project(tx, trust.trustor_user_id, project)}
    if ctx.principal.token.application_credential is not None:
        own = {r.id: r for r in ctx.principal.token.roles if r.id in own}
    by_name = {r.name: r.id for r in own.values()}
    found = []
    for role in asked:
        id = role["id"] if role.get("id") else by_name.get(role.get("name", ""))
        if id is None or id not in own:
            if role.get("id"):
                roles.get(tx, role["id"])
            raise Forbidden(f"The trustor does not have role {role.get('id') or role.get('name')} on the project.")
        found.append(id)
    return found


def _handed_on(parent: Trust, trust: Trust, *, may_redelegate: bool) -> Trust:
    """A trust made with a trust: never more, never longer than what it comes from."""
    if parent.redelegation_count <= 0:
        raise Forbidden("This trust cannot be handed on.")
    if trust.project_id != parent.project_id or not set(trust.role_ids) <= set(parent.role_ids):
        raise Forbidden("Some of the requested roles are not in the trust that is handed on.")
    if trust.impersonation and not parent.impersonation:
        raise Forbidden("The trust that is handed on does not allow impersonation.")
    if trust.remaining_uses is not None:
        raise Forbidden("remaining_uses cannot be set when a trust is handed on.")
    if parent.expires_at is not None and (trust.expires_at is None or trust.expires_at > parent.expires_at):
        if trust.expires_at is not None:
            raise Forbidden("Requested expiration time is later than that of the trust that is handed on.")
        trust = replace(trust, expires_at=parent.expires_at)
    count = parent.redelegation_count - 1 if may_redelegate else 0
    return replace(trust, redelegated_trust_id=parent.id, redelegation_count=count)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    _allowed(ctx, tx, id, policy.DELETE)
    ctx.about("trust", id)
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    """With all that were made from it."""
    for child in store.children(tx, id):
        remove(tx, child)
    store.delete(tx, id)
    epochs.bump(tx)


def list_roles(ctx: Context, tx: Tx, id: str) -> list[Role]:
    return roles_of(tx, _allowed(ctx, tx, id, policy.LIST_ROLES))


def show_role(ctx: Context, tx: Tx, id: str, role_id: str) -> Role:
    found = [r for r in roles_of(tx, _allowed(ctx, tx, id, policy.SHOW_ROLE)) if r.id == role_id]
    if not found:
        raise roles.missing(role_id)
    return found[0]


@deletions.user
def _release_user(tx: Tx, user_id: str) -> None:
    for id in store.ids_of(tx, user_id=user_id):
        remove(tx, id)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    for id in store.ids_of(tx, project_id=project_id):
        remove(tx, id)
