"""What can be done with domains; the rows are projects'."""

from typing import Any

from pilvi.identity.domains import policy
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.wire import check_mutable
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

DEFAULT_ID = "default"


def show(ctx: Context, tx: Tx, id: str) -> Project:
    policy.SHOW.check(ctx, domain_id=id)
    return projects.get_domain(tx, id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Project]:
    only = ctx.domain_id if not ctx.is_admin else None
    policy.LIST.check(ctx, domain_id=only)
    return projects.search_domains(tx, query, only)


def create(ctx: Context, tx: Tx, domain: Project) -> Project:
    policy.CREATE.check(ctx)
    return projects.add(tx, domain)


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Project:
    policy.UPDATE.check(ctx, domain_id=id)
    domain = projects.get_domain(tx, id)
    check_mutable("domain", id, domain.options, changes)
    return projects.change(tx, domain, changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx, domain_id=id)
    domain = projects.get_domain(tx, id)
    if id == DEFAULT_ID:
        raise Forbidden("The default domain cannot be deleted: accounts of the cloud itself are in it.")
    if domain.enabled:
        raise Forbidden(f"Cannot delete a domain that is enabled, please disable it first: {id}.")
    check_mutable("domain", id, domain.options)
    projects.remove_domain(tx, domain)


def find(tx: Tx, *, id: str = "", name: str = "") -> Project | None:
    """A domain by id or name."""
    if id:
        found = projects.find_cached(tx, id)
        return found if found is not None and found.is_domain else None
    return projects.find_named_cached(tx, "", name)


def missing(what: str) -> NotFound:
    return NotFound(f"Could not find domain: {what}.")
