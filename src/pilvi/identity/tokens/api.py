"""/auth/tokens on a token that is there, and what one's own token opens: /auth/catalog, projects, domains, system."""

from typing import Any

from pilvi.identity import settings
from pilvi.identity.catalog import service as catalog
from pilvi.identity.domains.wire import DomainView
from pilvi.identity.projects.model import Project
from pilvi.identity.projects.wire import ProjectView
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.tokens import policy, service
from pilvi.identity.tokens.wire import document
from pilvi.identity.wire import list_links
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/auth")


def _subject_id(ctx: Context) -> str:
    return ctx.header("X-Subject-Token") or ""


def answer_headers(token: str) -> dict[str, str]:
    return {"X-Subject-Token": token, "Vary": "X-Auth-Token"}


def _validated(ctx: Context, tx: Tx, query: Query, rule: Any) -> tuple[str, Any]:
    text = _subject_id(ctx)
    grace_s = settings.current.expired_token_grace_s if query.flag("allow_expired") else 0.0
    found = ctx.principal.token if text == ctx.token_id else service.subject(tx, text, grace_s=grace_s)
    rule.check(ctx, user_id=found.token.user_id)
    return text, found


@routes.get("/tokens", rule=policy.VALIDATE)
def validate(ctx: Context, tx: Tx, query: Query) -> Answer:
    text, found = _validated(ctx, tx, query, policy.VALIDATE)
    return Answer(200, document(tx, found, with_catalog="nocatalog" not in query.text), answer_headers(text))


@routes.head("/tokens", rule=policy.CHECK)
def check(ctx: Context, tx: Tx, query: Query) -> Answer:
    text, _ = _validated(ctx, tx, query, policy.CHECK)
    return Answer(200, b"", answer_headers(text))


@routes.delete("/tokens", rule=policy.REVOKE)
def revoke(ctx: Context, tx: Tx) -> None:
    service.revoke(ctx, tx, _subject_id(ctx))


@routes.get("/catalog", rule=policy.CATALOG)
def show_catalog(ctx: Context, tx: Tx) -> Answer:
    policy.CATALOG.check(ctx)
    if not (ctx.project_id or ctx.domain_id or ctx.principal.system):
        raise Forbidden("A token with a scope is needed to see a catalog; ask for one for a project.")
    found = catalog.of(tx, user_id=ctx.user_id, project_id=ctx.principal.project_id)
    return Answer(200, {"catalog": found, "links": list_links(ctx, ctx.path)})


@routes.get("/projects", rule=policy.PROJECTS, view=ProjectView)
def list_projects(ctx: Context, tx: Tx) -> list[Project]:
    policy.PROJECTS.check(ctx)
    return [p for p in role_assignments.projects_of(tx, ctx.user_id) if p.enabled]


@routes.get("/domains", rule=policy.DOMAINS, view=DomainView)
def list_domains(ctx: Context, tx: Tx) -> list[Project]:
    policy.DOMAINS.check(ctx)
    return [d for d in role_assignments.domains_of(tx, ctx.user_id) if d.enabled]


@routes.get("/system", rule=policy.SYSTEM)
def show_system(ctx: Context, tx: Tx) -> Answer:
    policy.SYSTEM.check(ctx)
    found = [{"all": True}] if role_assignments.roles_on_system(tx, ctx.user_id) else []
    return Answer(200, {"system": found, "links": list_links(ctx, ctx.path)})
