"""/policies."""

from pilvi.identity.policies import policy, service
from pilvi.identity.policies.model import PolicyBlob
from pilvi.identity.policies.wire import PolicyCreate, PolicyUpdate, PolicyView
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/policies")


@routes.get(rule=policy.LIST, view=PolicyView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[PolicyBlob]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=PolicyCreate, view=PolicyView, status=201)
def create(ctx: Context, tx: Tx, body: PolicyCreate) -> PolicyBlob:
    created = service.create(ctx, tx, PolicyBlob("", body.type, body.blob, extra_of(body)))
    ctx.about("policy", created.id)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=PolicyView)
def show(ctx: Context, tx: Tx, id: str) -> PolicyBlob:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=PolicyUpdate, view=PolicyView)
def update(ctx: Context, tx: Tx, id: str, body: PolicyUpdate) -> PolicyBlob:
    ctx.about("policy", id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("policy", id)
    service.delete(ctx, tx, id)
