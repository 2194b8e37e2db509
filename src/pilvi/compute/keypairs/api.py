"""/os-keypairs: parse, call one service function, let the view render."""

from pilvi.compute.keypairs import policy, service
from pilvi.compute.keypairs.model import Generated, Keypair, generate
from pilvi.compute.keypairs.wire import KeypairCreate, KeypairCreated, KeypairList, KeypairView
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/os-keypairs")
CREATED = {"2.1": 200, "2.2": 201}
DELETED = {"2.1": 202, "2.2": 204}


def with_key(body: KeypairCreate) -> KeypairCreate:
    """Generating a key takes a while: it is done before the transaction."""
    body.more = {"private_key": None}
    if body.public_key is None:
        body.public_key, body.more["private_key"] = generate(body.type, body.name, clock.now())
    return body


@routes.post(rule=policy.CREATE, body=KeypairCreate, view=KeypairCreated, status=CREATED, prepare=with_key)
def create(ctx: Context, tx: Tx, body: KeypairCreate) -> Generated:
    return service.create(
        ctx, tx, owner=body.user_id or ctx.user_id, name=body.name, type=body.type,
        public_key=body.public_key or "", private_key=body.more["private_key"],
    )  # fmt: skip


@routes.get(rule=policy.LIST, view=KeypairList)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Keypair]:
    paged = ctx.version >= 35
    owner = (query.get("user_id") if ctx.version >= 10 else None) or ctx.user_id
    marker, limit = (query.get("marker"), query.limit()) if paged else (None, None)
    return service.list_(ctx, tx, owner=owner, marker=marker, limit=limit)


@routes.get("/{name}", rule=policy.SHOW, view=KeypairView)
def show(ctx: Context, tx: Tx, name: str, user_id: str | None = None) -> Keypair:
    return service.show(ctx, tx, owner=(user_id if ctx.version >= 10 else None) or ctx.user_id, name=name)


@routes.delete("/{name}", rule=policy.DELETE, status=DELETED)
def delete(ctx: Context, tx: Tx, name: str, user_id: str | None = None) -> None:
    service.delete(ctx, tx, owner=(user_id if ctx.version >= 10 else None) or ctx.user_id, name=name)
