"""Namespaces of metadata definitions."""

from dataclasses import replace
from typing import Any

from pilvi.image.metadef_namespaces import policy, store
from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query

PAGE, LARGEST_PAGE = 25, 1000


def get(ctx: Context, tx: Tx, name: str, rule: Rule = policy.GET) -> Namespace:
    """A namespace that the caller may see, for this rule."""
    missing = NotFound(f"Metadata definition namespace={name} was not found.")
    found = store.find(tx, name)
    if found is None:
        raise missing
    target: dict[str, Any] = {"project_id": found.owner, "visibility": found.visibility}
    policy.GET.check(ctx, missing, **target)
    rule.check(ctx, **target)
    return found


def exists(tx: Tx, name: str) -> bool:
    return store.find(tx, name) is not None


def list_(ctx: Context, tx: Tx, query: Query, ids_of_types: list[str] | None) -> Page[Namespace]:
    policy.LIST.check(ctx, project_id=ctx.project_id)
    visibility = query.get("visibility")
    if visibility not in (None, "public", "private"):
        raise BadRequest(f"Invalid visibility value: {visibility}. It must be public or private.")
    sort_key, sort_dir = query.get("sort_key", "created_at") or "", query.get("sort_dir", "desc")
    if sort_key not in store.SORT_KEYS or sort_dir not in ("asc", "desc"):
        raise BadRequest(f"Sort by {', '.join(store.SORT_KEYS)}, asc or desc.")
    marker = query.get("marker")
    asked = query.number("limit", most=LARGEST_PAGE)
    limit = PAGE if asked is None else asked
    rows = store.list_(
        tx,
        owner=None if ctx.is_admin else ctx.project_id,
        visibility=visibility,
        ids=ids_of_types,
        marker=get(ctx, tx, marker) if marker else None,
        sort_key=sort_key,
        ascending=sort_dir == "asc",
        limit=limit,
    )
    return Page(rows[:limit], more=len(rows) > limit)


def create(ctx: Context, tx: Tx, given: dict[str, Any]) -> Namespace:
    owner = given.get("owner") or ctx.project_id
    policy.ADD.check(ctx, project_id=owner)
    now = clock.timestamp()
    namespace = Namespace(
        id=ids.uuid(), namespace=given["namespace"], display_name=given.get("display_name"),
        description=given.get("description"), visibility=given.get("visibility", "private"),
        protected=given.get("protected", False), owner=owner, created_at=now, updated_at=now,
    )  # fmt: skip
    store.add(tx, namespace)
    return namespace


def update(ctx: Context, tx: Tx, name: str, given: dict[str, Any]) -> Namespace:
    """Replace what a namespace says of itself."""
    found = get(ctx, tx, name, policy.MODIFY)
    changed = replace(
        found, namespace=given["namespace"], display_name=given.get("display_name"),
        description=given.get("description"), visibility=given.get("visibility", "private"),
        protected=given.get("protected", False), owner=given.get("owner") or found.owner,
        updated_at=clock.timestamp(),
    )  # fmt: skip
    store.update(tx, changed)
    return changed


def delete(ctx: Context, tx: Tx, name: str) -> Namespace:
    found = get(ctx, tx, name, policy.DELETE)
    if found.protected:
        raise Forbidden(f"Metadata definition namespace {name} is protected and cannot be deleted.")
    store.delete(tx, found.id)
    return found
