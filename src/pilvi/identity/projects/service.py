"""What can be done with projects. Domains are made, changed and deleted through the `…_domain` functions here."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.projects import policy, store
from pilvi.identity.projects.model import DEEPEST, TAGS_LIMIT, Project
from pilvi.identity.wire import check_mutable, merged_options
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def missing(id: str) -> NotFound:
    return NotFound(f"Could not find project: {id}.")


def find(tx: Tx, id: str) -> Project | None:
    """A project or a domain."""
    return store.find(tx, id)


def find_many(tx: Tx, ids: Any) -> list[Project]:
    return store.find_many(tx, ids)


def get(tx: Tx, id: str) -> Project:
    project = store.find(tx, id)
    if project is None:
        raise missing(id)
    return project


def get_domain(tx: Tx, id: str) -> Project:
    domain = store.find(tx, id)
    if domain is None or not domain.is_domain:
        raise NotFound(f"Could not find domain: {id}.")
    return domain


def find_cached(tx: Tx, id: str) -> Project | None:
    """The same from the cache of this epoch: every change of a project begins another one."""
    return epochs.cached(tx, ("project", id), lambda: store.find(tx, id))


def find_named_cached(tx: Tx, domain_id: str, name: str) -> Project | None:
    return epochs.cached(tx, ("project named", domain_id, name), lambda: store.find_named(tx, domain_id, name))


def find_named(tx: Tx, domain_id: str, name: str) -> Project | None:
    return store.find_named(tx, domain_id, name)


def find_domain_named(tx: Tx, name: str) -> Project | None:
    return store.find_named(tx, "", name)


def in_domain(tx: Tx, domain_id: str) -> list[Project]:
    return store.in_domain(tx, domain_id)


def search_domains(tx: Tx, query: Query, only: str | None) -> Page[Project]:
    return store.search(tx, query, domains=True, domain_id=only)


def own_domain(ctx: Context) -> str:
    """The domain that a caller means who names none."""
    found = ctx.domain_id or ctx.principal.project_domain_id
    if not found:
        raise BadRequest("Name a domain_id: your token is scoped to neither a domain nor a project.")
    return found


def show(ctx: Context, tx: Tx, id: str) -> Project:
    project = store.find(tx, id)
    domain_id = project.home_domain_id if project else None
    policy.SHOW.check(ctx, project_id=id, domain_id=domain_id)
    if project is None:
        raise missing(id)
    return project


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Project]:
    asked = query.get("domain_id")
    domain_id = ctx.domain_id if ctx.domain_id and not ctx.is_admin else asked
    policy.LIST.check(ctx, domain_id=domain_id)
    found = store.search(tx, query, domains=query.flag("is_domain"), domain_id=domain_id)
    return Page([p for p in found.items if _has_tags(p, query)], more=found.more) if "tags" in query.text else found


def _has_tags(project: Project, query: Query) -> bool:
    tags = set(project.tags)

    def asked(name: str) -> list[set[str]]:
        return [set(value.split(",")) for value in query.all(name)]

    return (
        all(wanted <= tags for wanted in asked("tags"))
        and all(wanted & tags for wanted in asked("tags-any"))
        and not any(wanted <= tags for wanted in asked("not-tags"))
        and not any(wanted & tags for wanted in asked("not-tags-any"))
    )


def create(ctx: Context, tx: Tx, project: Project) -> Project:
    """Make a project; `domain_id` and `parent_id` may be empty and are worked out here."""
    if project.is_domain:
        policy.CREATE.check(ctx, domain_id=None)
        if project.domain_id or project.parent_id:
            raise BadRequest("A project that acts as a domain has neither a domain_id nor a parent_id.")
        return add(tx, project)
    parent = _parent(tx, project.parent_id)
    if not project.domain_id:
        project = replace(project, domain_id=parent.home_domain_id if parent else own_domain(ctx))
    policy.CREATE.check(ctx, domain_id=project.domain_id)
    domain = get_domain(tx, project.domain_id)
    parent = parent or domain
    if parent.home_domain_id != domain.id:
        raise BadRequest(f"The parent {parent.id} is in another domain than the one given, {domain.id}.")
    if not parent.enabled or not domain.enabled:
        raise Forbidden(f"The parent {parent.id} is disabled; enable it before giving it children.")
    if len(ancestors(tx, parent)) >= DEEPEST:
        raise Forbidden(f"Projects can be nested {DEEPEST} levels deep; {parent.id} is on the last of them.")
    return add(tx, replace(project, parent_id=parent.id))


def _parent(tx: Tx, id: str) -> Project | None:
    return get(tx, id) if id else None


def add(tx: Tx, project: Project) -> Project:
    project = project if project.id else replace(project, id=ids.hexid())
    store.add(tx, project)
    return project


def ancestors(tx: Tx, project: Project) -> list[Project]:
    """The project's parents, nearest first, the domain last."""
    found: list[Project] = []
    while project.parent_id and len(found) <= DEEPEST:
        parent = store.find(tx, project.parent_id)
        if parent is None:
            break
        found.append(parent)
        project = parent
    return found


def descendants(tx: Tx, project_id: str) -> list[Project]:
    """Everything below, breadth first."""
    found: list[Project] = []
    level = [project_id]
    while level:
        children = store.children(tx, level)
        found += children
        level = [child.id for child in children]
    return found


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Project:
    project = store.find(tx, id)
    policy.UPDATE.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    check_mutable("project", id, project.options, changes)
    if changes.get("parent_id", project.parent_id or None) not in (project.parent_id or None, project.parent_id):
        raise Forbidden("The parent of a project cannot be changed.")
    if changes.get("domain_id", project.domain_id or None) not in (project.domain_id or None, project.domain_id):
        raise BadRequest("The domain of a project cannot be changed.")
    if changes.get("is_domain", project.is_domain) != project.is_domain:
        raise BadRequest("Whether a project acts as a domain cannot be changed.")
    if "enabled" in changes and changes["enabled"] != project.enabled:
        _check_tree(tx, project, changes["enabled"])
    kept = {k: v for k, v in changes.items() if k not in ("parent_id", "domain_id", "is_domain")}
    return change(tx, project, kept)


def _check_tree(tx: Tx, project: Project, enabled: bool) -> None:
    if enabled:
        if not all(parent.enabled for parent in ancestors(tx, project)):
            raise Forbidden(f"Project {project.id} cannot be enabled: a parent of it is disabled.")
    elif not project.is_domain and any(child.enabled for child in descendants(tx, project.id)):
        raise Forbidden(f"Project {project.id} cannot be disabled: it has enabled projects below it.")


def change(tx: Tx, project: Project, changes: dict[str, Any]) -> Project:
    """Write changes of a project or domain that were checked."""
    if "options" in changes:
        changes["options"] = merged_options(project.options, changes["options"])
    if "extra" in changes:
        changes["extra"] = {**project.extra, **changes["extra"]}
    if changes.get("enabled") is False and project.enabled:
        changes["tokens_after"] = int(clock.now() * 1_000_000)
    if changes:
        store.update(tx, project, changes)
        epochs.bump(tx)
    return replace(project, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    project = store.find(tx, id)
    policy.DELETE.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    if project.is_domain and project.enabled:
        raise Forbidden(f"Project {id} acts as a domain and is enabled; disable it before deleting it.")
    if project.is_domain:
        remove_domain(tx, project)
        return
    check_mutable("project", id, project.options)
    if store.children(tx, [id]):
        raise Forbidden(f"Project {id} has projects below it; delete them first.")
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    deletions.project.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


def remove_domain(tx: Tx, domain: Project) -> None:
    """Delete a domain with everyone and everything in it, leaves first."""
    for project in reversed(descendants(tx, domain.id)):
        remove(tx, project.id)
    deletions.domain.announce(tx, domain.id)
    deletions.project.announce(tx, domain.id)
    store.delete(tx, domain.id)
    epochs.bump(tx)


# ---- tags --------------------------------------------------------------------------------------------------------


def tags(ctx: Context, tx: Tx, id: str) -> list[str]:
    project = store.find(tx, id)
    policy.LIST_TAGS.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    return project.tags


def check_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    project = store.find(tx, id)
    policy.SHOW_TAG.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    if tag not in project.tags:
        raise NotFound(f"Could not find project tag: {tag}.")


def replace_tags(ctx: Context, tx: Tx, id: str, wanted: list[str], rule: Any = policy.REPLACE_TAGS) -> list[str]:
    project = store.find(tx, id)
    rule.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    store.update(tx, project, {"tags": wanted})
    return wanted


def add_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    project = store.find(tx, id)
    policy.ADD_TAG.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    if not 0 < len(tag) <= 255 or "," in tag or "/" in tag:
        raise BadRequest("A tag has 1 to 255 characters, and neither a comma nor a slash.")
    if tag in project.tags:
        return
    if len(project.tags) >= TAGS_LIMIT:
        raise BadRequest(f"A project may have {TAGS_LIMIT} tags.")
    store.update(tx, project, {"tags": [*project.tags, tag]})


def remove_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    project = store.find(tx, id)
    policy.REMOVE_TAG.check(ctx, project_id=id, domain_id=project.home_domain_id if project else None)
    if project is None:
        raise missing(id)
    if tag not in project.tags:
        raise NotFound(f"Could not find project tag: {tag}.")
    store.update(tx, project, {"tags": [t for t in project.tags if t != tag]})
