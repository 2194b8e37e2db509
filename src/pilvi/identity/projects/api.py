"""/projects and their tags."""

from typing import Any

from pilvi.identity.limits import service as limits
from pilvi.identity.limits.wire import shown as shown_limit
from pilvi.identity.projects import policy, service
from pilvi.identity.projects.model import Project
from pilvi.identity.projects.wire import ProjectCreate, ProjectUpdate, ProjectView, TagsReplace, project_dict
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/projects")


@routes.get(rule=policy.LIST, view=ProjectView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Project]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=ProjectCreate, view=ProjectView, status=201)
def create(ctx: Context, tx: Tx, body: ProjectCreate) -> Project:
    project = Project(
        id="", name=body.name, domain_id=body.domain_id or "", parent_id=body.parent_id or "", is_domain=body.is_domain,
        enabled=body.enabled, description=body.description or "", tags=list(body.tags),
        options={k: v for k, v in (body.options or {}).items() if v is not None}, extra=extra_of(body),
    )  # fmt: skip
    created = service.create(ctx, tx, project)
    ctx.about("project", created.id, created.name)
    return created


@routes.get("/{id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, id: str, query: Query) -> Answer:
    project = service.show(ctx, tx, id)
    shown = project_dict(project, ctx)
    shown.update(_hierarchy(ctx, tx, project, query))
    return Answer(200, {"project": shown})


def _hierarchy(ctx: Context, tx: Tx, project: Project, query: Query) -> dict[str, Any]:
    """The members that `parents_as_…` and `subtree_as_…` ask for."""
    for which in ("parents", "subtree"):
        if query.flag(f"{which}_as_list") and query.flag(f"{which}_as_ids"):
            raise BadRequest(f"Ask for either {which}_as_list or {which}_as_ids.")
    found: dict[str, Any] = {}
    if query.flag("parents_as_list"):
        found["parents"] = _visible(ctx, tx, service.ancestors(tx, project), query)
    if query.flag("subtree_as_list"):
        found["subtree"] = _visible(ctx, tx, service.descendants(tx, project.id), query)
    if query.flag("parents_as_ids"):
        chain: dict[str, Any] | None = None
        for parent in reversed(service.ancestors(tx, project)):
            chain = {parent.id: chain}
        found["parents"] = chain
    if query.flag("subtree_as_ids"):
        found["subtree"] = _tree(service.descendants(tx, project.id), project.id)
    return found


def _visible(ctx: Context, tx: Tx, projects: list[Project], query: Query) -> list[dict[str, Any]]:
    """Those on which the caller has a role; with `include_limits` each with the limits set for it."""
    visible = role_assignments.project_ids_of(tx, ctx.user_id)
    found = [project_dict(p, ctx) for p in projects if p.id in visible]
    if query.flag("include_limits"):
        for shown in found:
            shown["limits"] = [shown_limit(*pair, ctx) for pair in limits.of_project(tx, shown["id"])]
    return [{"project": shown} for shown in found]


def _tree(projects: list[Project], root: str) -> dict[str, Any] | None:
    nodes: dict[str, dict[str, Any]] = {root: {}}
    for project in projects:  # Breadth first, so a parent's node is there before its children.
        nodes[project.id] = {}
        nodes[project.parent_id][project.id] = nodes[project.id]

    def pruned(node: dict[str, Any]) -> dict[str, Any] | None:
        return {id: pruned(child) for id, child in node.items()} or None

    return pruned(nodes[root])


@routes.patch("/{id}", rule=policy.UPDATE, body=ProjectUpdate, view=ProjectView)
def update(ctx: Context, tx: Tx, id: str, body: ProjectUpdate) -> Project:
    project = service.update(ctx, tx, id, changes_of(body))
    ctx.about("project", id, project.name)
    return project


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("project", id)
    service.delete(ctx, tx, id)


@routes.get("/{id}/tags", rule=policy.LIST_TAGS)
def list_tags(ctx: Context, tx: Tx, id: str) -> Answer:
    return _tags(ctx, id, service.tags(ctx, tx, id))


def _tags(ctx: Context, id: str, tags: list[str]) -> Answer:
    url = f"{ctx.base_url}/v3/projects/{id}/tags"
    return Answer(200, {"tags": tags, "links": {"next": None, "self": url, "previous": None}})


@routes.put("/{id}/tags", rule=policy.REPLACE_TAGS, body=TagsReplace)
def replace_tags(ctx: Context, tx: Tx, id: str, body: TagsReplace) -> Answer:
    ctx.about("project", id)
    return _tags(ctx, id, service.replace_tags(ctx, tx, id, body.tags))


@routes.delete("/{id}/tags", rule=policy.REMOVE_TAGS)
def remove_tags(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("project", id)
    service.replace_tags(ctx, tx, id, [], policy.REMOVE_TAGS)


@routes.get("/{id}/tags/{tag}", rule=policy.SHOW_TAG, status=204)
def check_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    service.check_tag(ctx, tx, id, tag)


@routes.put("/{id}/tags/{tag}", rule=policy.ADD_TAG)
def add_tag(ctx: Context, tx: Tx, id: str, tag: str) -> Answer:
    ctx.about("project", id)
    service.add_tag(ctx, tx, id, tag)
    return Answer(201, headers={"Location": f"{ctx.base_url}/v3/projects/{id}/tags/{tag}"})


@routes.delete("/{id}/tags/{tag}", rule=policy.REMOVE_TAG)
def remove_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    ctx.about("project", id)
    service.remove_tag(ctx, tx, id, tag)
