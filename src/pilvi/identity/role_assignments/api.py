"""Grants in all their forms, /role_assignments, and a user's projects.

The forms differ only in their paths, so the routes are made from a table.
"""

from typing import Any

from pilvi.identity.assignment_lists import service as assignment_lists
from pilvi.identity.projects import policy as project_policy
from pilvi.identity.projects.model import Project
from pilvi.identity.projects.wire import ProjectView
from pilvi.identity.role_assignments import policy, service
from pilvi.identity.role_assignments.model import SYSTEM, Assignment
from pilvi.identity.roles.model import Role
from pilvi.identity.roles.wire import RoleView
from pilvi.identity.users import service as users
from pilvi.identity.wire import list_links
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")


def _project_or_domain(kind: str, actor: str, inherited: bool) -> None:
    """The routes for one kind of target and actor."""

    def grant(target_id: str, actor_id: str, role_id: str = "") -> Assignment:
        return Assignment(actor, actor_id, kind, target_id, role_id, inherited)

    def list_roles(ctx: Context, tx: Tx, target_id: str, actor_id: str) -> list[Role]:
        return service.list_roles(ctx, tx, grant(target_id, actor_id))

    def check(ctx: Context, tx: Tx, target_id: str, actor_id: str, role_id: str) -> None:
        service.check(ctx, tx, grant(target_id, actor_id, role_id))

    def create(ctx: Context, tx: Tx, target_id: str, actor_id: str, role_id: str) -> None:
        ctx.about(actor, actor_id)
        service.create(ctx, tx, grant(target_id, actor_id, role_id))

    def revoke(ctx: Context, tx: Tx, target_id: str, actor_id: str, role_id: str) -> None:
        ctx.about(actor, actor_id)
        service.revoke(ctx, tx, grant(target_id, actor_id, role_id))

    prefix, suffix = ("/OS-INHERIT", "/inherited_to_projects") if inherited else ("", "")
    many = f"{prefix}/{kind}s/{{target_id}}/{actor}s/{{actor_id}}/roles"
    _register(many, suffix, kind, actor, (list_roles, check, create, revoke))


def _system(actor: str) -> None:
    def grant(actor_id: str, role_id: str = "") -> Assignment:
        return Assignment(actor, actor_id, SYSTEM, SYSTEM, role_id, False)

    def list_roles(ctx: Context, tx: Tx, actor_id: str) -> list[Role]:
        return service.list_roles(ctx, tx, grant(actor_id))

    def check(ctx: Context, tx: Tx, actor_id: str, role_id: str) -> None:
        service.check(ctx, tx, grant(actor_id, role_id))

    def create(ctx: Context, tx: Tx, actor_id: str, role_id: str) -> None:
        ctx.about(actor, actor_id)
        service.create(ctx, tx, grant(actor_id, role_id))

    def revoke(ctx: Context, tx: Tx, actor_id: str, role_id: str) -> None:
        ctx.about(actor, actor_id)
        service.revoke(ctx, tx, grant(actor_id, role_id))

    _register(f"/system/{actor}s/{{actor_id}}/roles", "", SYSTEM, actor, (list_roles, check, create, revoke))


def _register(many: str, suffix: str, kind: str, actor: str, handlers: tuple[Any, Any, Any, Any]) -> None:
    list_roles, check, create, revoke = handlers
    one = f"{many}/{{role_id}}{suffix}"
    routes.get(many + suffix, rule=policy.of("list", kind, actor), view=RoleView)(list_roles)
    routes.get(one, rule=policy.of("check", kind, actor), status=204)(check)
    routes.put(one, rule=policy.of("create", kind, actor), status=204)(create)
    routes.delete(one, rule=policy.of("revoke", kind, actor))(revoke)


for _actor in ("user", "group"):
    for _kind in ("project", "domain"):
        for _inherited in (False, True):
            _project_or_domain(_kind, _actor, _inherited)
    _system(_actor)


@routes.get("/role_assignments", rule=policy.LIST_ALL)
def list_all(ctx: Context, tx: Tx, query: Query) -> Answer:
    found = assignment_lists.list_all(ctx, tx, query)
    return Answer(200, {"role_assignments": found, "links": list_links(ctx, ctx.path, query.text)})


@routes.get("/users/{id}/projects", rule=project_policy.LIST_OF_USER, view=ProjectView)
def list_projects(ctx: Context, tx: Tx, id: str) -> list[Project]:
    user = users.find(tx, id)
    project_policy.LIST_OF_USER.check(ctx, user_id=id, domain_id=user.domain_id if user else None)
    if user is None:
        raise users.missing(id)
    return service.projects_of(tx, id)
