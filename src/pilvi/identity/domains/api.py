"""/domains."""

from pilvi.identity.domains import policy, service
from pilvi.identity.domains.wire import DomainCreate, DomainUpdate, DomainView
from pilvi.identity.projects.model import Project
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/domains")


@routes.get(rule=policy.LIST, view=DomainView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Project]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=DomainCreate, view=DomainView, status=201)
def create(ctx: Context, tx: Tx, body: DomainCreate) -> Project:
    options = {k: v for k, v in (body.options or {}).items() if v is not None}
    domain = Project(
        id=body.explicit_domain_id or "", name=body.name, domain_id="", parent_id="", is_domain=True,
        enabled=body.enabled, description=body.description or "", tags=list(body.tags), options=options,
        extra=extra_of(body),
    )  # fmt: skip
    created = service.create(ctx, tx, domain)
    ctx.about("domain", created.id, created.name)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=DomainView)
def show(ctx: Context, tx: Tx, id: str) -> Project:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=DomainUpdate, view=DomainView)
def update(ctx: Context, tx: Tx, id: str, body: DomainUpdate) -> Project:
    domain = service.update(ctx, tx, id, changes_of(body))
    ctx.about("domain", id, domain.name)
    return domain


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("domain", id)
    service.delete(ctx, tx, id)
