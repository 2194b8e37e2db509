"""/limits."""

from pilvi.identity import settings
from pilvi.identity.limits import policy, service
from pilvi.identity.limits.model import MODELS
from pilvi.identity.limits.wire import LimitsCreate, LimitUpdate, shown
from pilvi.identity.wire import list_links
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/limits")


@routes.get("/model", rule=policy.MODEL)
def show_model(ctx: Context, tx: Tx) -> Answer:
    policy.MODEL.check(ctx)
    name = settings.current.limit_model
    return Answer(200, {"model": {"name": name, "description": MODELS[name]}})


@routes.get(rule=policy.LIST)
def list_all(ctx: Context, tx: Tx, query: Query) -> Answer:
    found = [shown(*pair, ctx) for pair in service.list_all(ctx, tx, query).items]
    return Answer(200, {"limits": found, "links": list_links(ctx, ctx.path, query.text)})


@routes.post(rule=policy.CREATE, body=LimitsCreate)
def create(ctx: Context, tx: Tx, body: LimitsCreate) -> Answer:
    found = [shown(*pair, ctx) for pair in service.create(ctx, tx, body.limits)]
    return Answer(201, {"limits": found, "links": list_links(ctx, ctx.path)})


@routes.get("/{id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, id: str) -> Answer:
    return Answer(200, {"limit": shown(*service.show(ctx, tx, id), ctx)})


@routes.patch("/{id}", rule=policy.UPDATE, body=LimitUpdate)
def update(ctx: Context, tx: Tx, id: str, body: LimitUpdate) -> Answer:
    ctx.about("limit", id)
    return Answer(200, {"limit": shown(*service.update(ctx, tx, id, body.sent()), ctx)})


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("limit", id)
    service.delete(ctx, tx, id)
