"""What can be done with limits. In two levels a child never has more than its parent."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pilvi.identity import deletions, settings
from pilvi.identity.limits import policy, store
from pilvi.identity.limits.model import Limit, exceeds, is_below_children
from pilvi.identity.limits.wire import LimitCreate
from pilvi.identity.projects import service as projects
from pilvi.identity.registered_limits import service as registered_limits
from pilvi.identity.registered_limits.model import RegisteredLimit
from pilvi.identity.services import service as services
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

Pair = tuple[Limit, RegisteredLimit]


def _get(tx: Tx, id: str) -> Limit:
    limit = store.find(tx, id)
    if limit is None:
        raise NotFound(f"Could not find limit for {id}.")
    return limit


def _paired(tx: Tx, limit: Limit) -> Pair:
    return limit, registered_limits.get(tx, limit.registered_limit_id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Pair]:
    """Everybody sees the limits of the project or domain of their token; administrators and readers all."""
    policy.LIST.check(ctx)
    project_id, domain_id = query.get("project_id"), query.get("domain_id")
    if not (ctx.is_admin or ctx.principal.system):
        if ctx.domain_id:
            domain_id = ctx.domain_id
        else:
            project_id, domain_id = ctx.project_id, None
    registered = None
    if any(name in query for name in ("service_id", "region_id", "resource_name")):
        registered = [limit.id for limit in registered_limits.matching(tx, query)]
    found = store.search(tx, query, project_id=project_id, domain_id=domain_id, registered=registered)
    return Page([_paired(tx, limit) for limit in found.items], more=found.more)


def show(ctx: Context, tx: Tx, id: str) -> Pair:
    limit = store.find(tx, id)
    policy.SHOW.check(ctx, project_id=limit.project_id if limit else None, domain_id=limit.domain_id if limit else None)
    return _paired(tx, _get(tx, id))


def create(ctx: Context, tx: Tx, wanted: list[LimitCreate]) -> list[Pair]:
    policy.CREATE.check(ctx)
    return [_create(ctx, tx, one) for one in wanted]


def _create(ctx: Context, tx: Tx, wanted: LimitCreate) -> Pair:
    if bool(wanted.project_id) == bool(wanted.domain_id):
        raise BadRequest("A limit is for a project_id or a domain_id: give one of them.")
    registered_limits.check_place(tx, wanted.service_id, wanted.region_id)
    registered = registered_limits.find_same(tx, wanted.service_id, wanted.region_id, wanted.resource_name)
    if registered is None:
        raise Forbidden(
            f"There is no registered limit of {wanted.resource_name} for this service and region; register one first."
        )
    if wanted.project_id:
        projects.get(tx, wanted.project_id)
    else:
        projects.get_domain(tx, wanted.domain_id or "")
    limit = Limit(
        ids.hexid(), registered.id, wanted.project_id or None, wanted.domain_id or None, wanted.resource_limit,
        wanted.description,
    )  # fmt: skip
    same = [(other.project_id, other.domain_id) for other in store.of_registered(tx, registered.id)]
    if (limit.project_id, limit.domain_id) in same:
        raise Conflict(f"There is a limit of {wanted.resource_name} for this project or domain already.")
    _check_levels(tx, limit, registered)
    store.add(tx, limit)
    return limit, registered


def _check_levels(tx: Tx, limit: Limit, registered: RegisteredLimit) -> None:
    if settings.current.limit_model != "strict_two_level":
        return
    own_id = limit.project_id or limit.domain_id or ""
    known = {
        other.project_id or other.domain_id: other.resource_limit for other in store.of_registered(tx, registered.id)
    }
    above = projects.ancestors(tx, projects.get(tx, own_id))
    for parent in above[:1]:
        if exceeds(limit.resource_limit, known.get(parent.id, registered.default_limit)):
            raise Forbidden(f"The limit {limit.resource_limit} of {own_id} is above that of its parent {parent.id}.")
    below = [p.id for p in projects.descendants(tx, own_id)]
    if is_below_children(limit.resource_limit, [known[id] for id in below if id in known]):
        raise Forbidden(f"The limit {limit.resource_limit} of {own_id} is below that of one of its children.")


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Pair:
    policy.UPDATE.check(ctx)
    limit = replace(_get(tx, id), **changes)
    pair = _paired(tx, limit)
    _check_levels(tx, *pair)
    if changes:
        store.update(tx, id, changes)
    return pair


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, id)
    store.delete(tx, id)


def in_force(tx: Tx, service_type: str, resource: str, project_id: str) -> int | None:
    """The limit that binds a project: its own, or the registered default. None where nobody registered one."""
    service = next((s for s in services.everything(tx) if s.type == service_type), None)
    if service is None:
        return None
    wanted = Query(urlencode({"service_id": service.id, "resource_name": resource}))
    for registered in registered_limits.matching(tx, wanted):
        own = store.search(tx, Query(""), project_id=project_id, domain_id=None, registered=[registered.id]).items
        return own[0].resource_limit if own else registered.default_limit
    return None


def of_project(tx: Tx, project_id: str) -> list[Pair]:
    """For `include_limits` of a tree of projects."""
    found = store.search(tx, Query(""), project_id=project_id, domain_id=None, registered=None)
    return [_paired(tx, limit) for limit in found.items]


@deletions.registered_limit
def _check_registered(tx: Tx, id: str) -> None:
    if store.of_registered(tx, id):
        raise Forbidden(f"Registered limit {id} is in use: there are limits of projects or domains for it.")


@deletions.project
def _release_project(tx: Tx, id: str) -> None:
    store.forget_owner(tx, id)
