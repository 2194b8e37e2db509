"""/OS-OAUTH1/consumers."""

from pilvi.identity.oauth_consumers import policy, service
from pilvi.identity.oauth_consumers.model import Consumer
from pilvi.identity.oauth_consumers.wire import ConsumerCreate, ConsumerUpdate, ConsumerView
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/OS-OAUTH1/consumers")


@routes.get(rule=policy.LIST, view=ConsumerView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Consumer]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=ConsumerCreate)
def create(ctx: Context, tx: Tx, body: ConsumerCreate) -> Answer:
    consumer, secret = service.create(ctx, tx, body.description or "", extra_of(body))
    ctx.about("consumer", consumer.id)
    shown = ConsumerView.renderer(ctx)(consumer, ctx)
    return Answer(201, {"consumer": {**shown, "secret": secret}})


@routes.get("/{id}", rule=policy.SHOW, view=ConsumerView)
def show(ctx: Context, tx: Tx, id: str) -> Consumer:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=ConsumerUpdate, view=ConsumerView)
def update(ctx: Context, tx: Tx, id: str, body: ConsumerUpdate) -> Consumer:
    ctx.about("consumer", id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("consumer", id)
    service.delete(ctx, tx, id)
