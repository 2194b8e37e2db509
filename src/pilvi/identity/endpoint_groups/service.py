"""Which endpoints a project sees. A project without any filter sees all."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.endpoint_groups import policy, store
from pilvi.identity.endpoint_groups.model import FILTERS, EndpointGroup, selects
from pilvi.identity.endpoints import service as endpoints
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.epochs import service as epochs
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def visible(tx: Tx, project_id: str) -> set[str] | None:
    """The ids of the endpoints that a project sees; None: all."""
    if not epochs.cached(tx, "endpoint filters", lambda: (store.any_filter(tx),))[0]:
        return None
    found = set(store.endpoints_of_project(tx, project_id))
    groups = store.of_project(tx, project_id)
    if not found and not groups:
        return None
    for group in groups:
        found.update(e.id for e in endpoints.everything(tx) if selects(group.filters, e))
    return found


def _get(tx: Tx, id: str) -> EndpointGroup:
    group = store.find(tx, id)
    if group is None:
        raise NotFound(f"Could not find Endpoint Group: {id}.")
    return group


def _check_filters(filters: dict[str, Any]) -> None:
    unknown = sorted(set(filters) - FILTERS)
    if unknown:
        raise BadRequest(f"Filters choose endpoints by {', '.join(sorted(FILTERS))}, not by {', '.join(unknown)}.")
    if filters.get("interface") not in (None, "public", "internal", "admin"):
        raise BadRequest("The interface in filters is public, internal or admin.")


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[EndpointGroup]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> EndpointGroup:
    policy.SHOW.check(ctx)
    return _get(tx, id)


def create(ctx: Context, tx: Tx, group: EndpointGroup) -> EndpointGroup:
    policy.CREATE.check(ctx)
    _check_filters(group.filters)
    if not group.filters:
        raise BadRequest("A new endpoint group needs filters: without any it would choose every endpoint.")
    group = replace(group, id=ids.hexid())
    store.add(tx, group)
    return group


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> EndpointGroup:
    policy.UPDATE.check(ctx)
    group = _get(tx, id)
    if "filters" in changes:
        _check_filters(changes["filters"])
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(group, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


# ---- groups of a project -----------------------------------------------------------------------------------------


def projects_of(ctx: Context, tx: Tx, id: str) -> list[Project]:
    policy.LIST_PROJECTS_OF_GROUP.check(ctx)
    _get(tx, id)
    return projects.find_many(tx, store.projects_of_group(tx, id))


def endpoints_of(ctx: Context, tx: Tx, id: str) -> list[Endpoint]:
    policy.LIST_ENDPOINTS_OF_GROUP.check(ctx)
    group = _get(tx, id)
    return [e for e in endpoints.everything(tx) if selects(group.filters, e)]


def in_project(ctx: Context, tx: Tx, project_id: str, id: str) -> EndpointGroup:
    policy.SHOW_IN_PROJECT.check(ctx)
    group = _get(tx, id)
    if not store.has_group(tx, project_id, id):
        raise NotFound(f"Project {project_id} does not have endpoint group {id}.")
    return group


def of_project(ctx: Context, tx: Tx, project_id: str) -> list[EndpointGroup]:
    policy.LIST_OF_PROJECT.check(ctx)
    projects.get(tx, project_id)
    return store.of_project(tx, project_id)


def add_to_project(ctx: Context, tx: Tx, project_id: str, id: str) -> None:
    policy.ADD_TO_PROJECT.check(ctx)
    projects.get(tx, project_id)
    _get(tx, id)
    store.add_group(tx, project_id, id)
    epochs.bump(tx)


def remove_from_project(ctx: Context, tx: Tx, project_id: str, id: str) -> None:
    policy.REMOVE_FROM_PROJECT.check(ctx)
    if not store.remove_group(tx, project_id, id):
        raise NotFound(f"Project {project_id} does not have endpoint group {id}.")
    epochs.bump(tx)


# ---- endpoints of a project --------------------------------------------------------------------------------------


def projects_with(ctx: Context, tx: Tx, endpoint_id: str) -> list[Project]:
    policy.LIST_PROJECTS.check(ctx)
    endpoint = endpoints.get(tx, endpoint_id)
    found = set(store.projects_of_endpoint(tx, endpoint_id))
    for group in store.search(tx, Query("")).items:
        if selects(group.filters, endpoint):
            found.update(store.projects_of_group(tx, group.id))
    return projects.find_many(tx, found)


def endpoints_of_project(ctx: Context, tx: Tx, project_id: str) -> list[Endpoint]:
    policy.LIST_ENDPOINTS.check(ctx)
    projects.get(tx, project_id)
    seen = visible(tx, project_id) or set()
    return [e for e in endpoints.everything(tx) if e.id in seen]


def check_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    policy.CHECK_ENDPOINT.check(ctx)
    endpoints.get(tx, endpoint_id)
    projects.get(tx, project_id)
    if endpoint_id not in store.endpoints_of_project(tx, project_id):
        raise NotFound(f"Project {project_id} does not have endpoint {endpoint_id}.")


def add_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    policy.ADD_ENDPOINT.check(ctx)
    endpoints.get(tx, endpoint_id)
    projects.get(tx, project_id)
    store.add_endpoint(tx, project_id, endpoint_id)
    epochs.bump(tx)


def remove_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    policy.REMOVE_ENDPOINT.check(ctx)
    if not store.remove_endpoint(tx, project_id, endpoint_id):
        raise NotFound(f"Project {project_id} does not have endpoint {endpoint_id}.")
    epochs.bump(tx)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    store.forget_project(tx, project_id)


@deletions.endpoint
def _release_endpoint(tx: Tx, endpoint_id: str) -> None:
    store.forget_endpoint(tx, endpoint_id)
