"""/regions. The id may be chosen by the caller, in the body or in the path."""

from pilvi.identity.regions import policy, service
from pilvi.identity.regions.model import Region
from pilvi.identity.regions.wire import RegionCreate, RegionUpdate, RegionView
from pilvi.identity.wire import changes_of, check_id, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/regions")


@routes.get(rule=policy.LIST, view=RegionView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Region]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=RegionCreate, view=RegionView, status=201)
def create(ctx: Context, tx: Tx, body: RegionCreate) -> Region:
    return _create(ctx, tx, body, body.id or "")


@routes.put("/{id}", rule=policy.CREATE, body=RegionCreate, view=RegionView, status=201)
def create_with_id(ctx: Context, tx: Tx, id: str, body: RegionCreate) -> Region:
    if body.id and body.id != id:
        raise BadRequest(f"The id in the body, {body.id}, is not the one in the URL, {id}.")
    check_id(id, 255)
    return _create(ctx, tx, body, id)


def _create(ctx: Context, tx: Tx, body: RegionCreate, id: str) -> Region:
    region = Region(id, body.description or "", body.parent_region_id or None, extra_of(body))
    created = service.create(ctx, tx, region)
    ctx.about("region", created.id[:64], created.id)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=RegionView)
def show(ctx: Context, tx: Tx, id: str) -> Region:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=RegionUpdate, view=RegionView)
def update(ctx: Context, tx: Tx, id: str, body: RegionUpdate) -> Region:
    ctx.about("region", id[:64], id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("region", id[:64], id)
    service.delete(ctx, tx, id)
