"""/registered_limits. Several are registered at once."""

from pilvi.identity.registered_limits import policy, service
from pilvi.identity.registered_limits.model import RegisteredLimit
from pilvi.identity.registered_limits.wire import RegisteredLimitsCreate, RegisteredLimitUpdate, RegisteredLimitView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/registered_limits")


@routes.get(rule=policy.LIST, view=RegisteredLimitView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[RegisteredLimit]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=RegisteredLimitsCreate, view=RegisteredLimitView, status=201)
def create(ctx: Context, tx: Tx, body: RegisteredLimitsCreate) -> list[RegisteredLimit]:
    wanted = [
        RegisteredLimit("", one.service_id, one.region_id, one.resource_name, one.default_limit, one.description)
        for one in body.registered_limits
    ]
    return service.create(ctx, tx, wanted)


@routes.get("/{id}", rule=policy.SHOW, view=RegisteredLimitView)
def show(ctx: Context, tx: Tx, id: str) -> RegisteredLimit:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=RegisteredLimitUpdate, view=RegisteredLimitView)
def update(ctx: Context, tx: Tx, id: str, body: RegisteredLimitUpdate) -> RegisteredLimit:
    ctx.about("registered_limit", id)
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("registered_limit", id)
    service.delete(ctx, tx, id)
