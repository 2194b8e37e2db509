"""What can be done with roles and implications."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.projects import service as projects
from pilvi.identity.roles import policy, store
from pilvi.identity.roles.model import Graph, Role
from pilvi.identity.wire import check_mutable, merged_options
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query

NEVER_IMPLIED = frozenset({"admin"})
"""Whoever could imply these would make everyone an administrator."""


def graph(tx: Tx) -> Graph:
    """All roles and implications; cached while nothing changes."""

    def build() -> Graph:
        implied: dict[str, tuple[str, ...]] = {}
        for prior, implication in store.implications(tx):
            implied[prior] = (*implied.get(prior, ()), implication)
        return Graph({role.id: role for role in store.everything(tx)}, implied)

    return epochs.cached(tx, "role graph", build)


def missing(id: str) -> NotFound:
    return NotFound(f"Could not find role: {id}.")


def get(tx: Tx, id: str) -> Role:
    role = graph(tx).roles.get(id)
    if role is None:
        raise missing(id)
    return role


def find_named(tx: Tx, name: str) -> Role | None:
    return next((r for r in graph(tx).roles.values() if r.name == name and not r.domain_id), None)


def _allowed(ctx: Context, tx: Tx, id: str, rule: Rule, domain_rule: Rule) -> Role:
    """A domain's role has rules of its own; the context counts both as asked, because it is one question."""
    role = graph(tx).roles.get(id)
    if role is not None and role.domain_id:
        domain_rule.check(ctx, domain_id=role.domain_id)
        ctx.checked.add(rule.name)
    else:
        rule.check(ctx, domain_id=None)
    if role is None:
        raise missing(id)
    return role


def show(ctx: Context, tx: Tx, id: str) -> Role:
    return _allowed(ctx, tx, id, policy.SHOW, policy.SHOW_DOMAIN)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Role]:
    domain_id = query.get("domain_id") or ""
    if domain_id:
        policy.LIST_DOMAIN.check(ctx, domain_id=domain_id)
        ctx.checked.add(policy.LIST.name)
    else:
        policy.LIST.check(ctx)
    return store.search(tx, query, domain_id)


def create(ctx: Context, tx: Tx, role: Role) -> Role:
    rule = policy.CREATE_DOMAIN if role.domain_id else policy.CREATE
    rule.check(ctx, domain_id=role.domain_id or None)
    ctx.checked.add(policy.CREATE.name)
    if role.domain_id:
        projects.get_domain(tx, role.domain_id)
    return add(tx, role)


def add(tx: Tx, role: Role) -> Role:
    role = replace(role, id=role.id or ids.hexid())
    store.add(tx, role)
    epochs.bump(tx)
    return role


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Role:
    role = _allowed(ctx, tx, id, policy.UPDATE, policy.UPDATE_DOMAIN)
    check_mutable("role", id, role.options, changes)
    if (changes.pop("domain_id", role.domain_id) or "") != role.domain_id:
        raise BadRequest("The domain of a role cannot be changed.")
    if "options" in changes:
        changes["options"] = merged_options(role.options, changes["options"])
    if "extra" in changes:
        changes["extra"] = {**role.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(role, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    role = _allowed(ctx, tx, id, policy.DELETE, policy.DELETE_DOMAIN)
    check_mutable("role", id, role.options)
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    deletions.role.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    for role in [r for r in graph(tx).roles.values() if r.domain_id == domain_id]:
        remove(tx, role.id)


# ---- implications ------------------------------------------------------------------------------------------------


def implications(ctx: Context, tx: Tx) -> list[tuple[Role, list[Role]]]:
    policy.LIST_INFERENCES.check(ctx)
    known = graph(tx)
    return [(known.roles[p], [known.roles[i] for i in implied]) for p, implied in known.implied.items() if implied]


def implied_by(ctx: Context, tx: Tx, prior_id: str) -> tuple[Role, list[Role]]:
    policy.LIST_IMPLIED.check(ctx)
    prior = get(tx, prior_id)
    known = graph(tx)
    return prior, [known.roles[id] for id in known.implied.get(prior_id, ())]


def implication(ctx: Context, tx: Tx, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    policy.SHOW_IMPLIED.check(ctx)
    prior, implied = get(tx, prior_id), get(tx, implied_id)
    if implied_id not in graph(tx).implied.get(prior_id, ()):
        raise NotFound(f"Role {prior_id} does not imply role {implied_id}.")
    return prior, implied


def imply(ctx: Context, tx: Tx, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    policy.CREATE_IMPLIED.check(ctx)
    prior, implied = get(tx, prior_id), get(tx, implied_id)
    if implied.name in NEVER_IMPLIED:
        raise Forbidden(f"The role {implied.name} cannot be implied by another role.")
    if implied.domain_id and not prior.domain_id:
        raise Forbidden("A role of the whole cloud cannot imply a role that belongs to a domain.")
    ensure_implied(tx, prior_id, implied_id)
    return prior, implied


def ensure_implied(tx: Tx, prior_id: str, implied_id: str) -> None:
    if implied_id not in graph(tx).implied.get(prior_id, ()):
        store.imply(tx, prior_id, implied_id)
        epochs.bump(tx)


def imply_no_more(ctx: Context, tx: Tx, prior_id: str, implied_id: str) -> None:
    policy.DELETE_IMPLIED.check(ctx)
    get(tx, prior_id)
    get(tx, implied_id)
    if not store.imply_no_more(tx, prior_id, implied_id):
        raise NotFound(f"Role {prior_id} does not imply role {implied_id}.")
    epochs.bump(tx)
