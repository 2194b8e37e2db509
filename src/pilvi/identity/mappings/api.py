"""/OS-FEDERATION/mappings. PUT creates."""

from pilvi.identity.mappings import policy, service
from pilvi.identity.mappings.model import Mapping
from pilvi.identity.mappings.wire import MappingCreate, MappingUpdate, MappingView
from pilvi.identity.wire import check_id, sent_with_id
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/OS-FEDERATION/mappings")


@routes.get(rule=policy.LIST, view=MappingView)
def list_all(ctx: Context, tx: Tx) -> list[Mapping]:
    return service.list_all(ctx, tx)


@routes.get("/{id}", rule=policy.SHOW, view=MappingView)
def show(ctx: Context, tx: Tx, id: str) -> Mapping:
    return service.show(ctx, tx, id)


@routes.put("/{id}", rule=policy.CREATE, body=MappingCreate, view=MappingView, status=201)
def create(ctx: Context, tx: Tx, id: str, body: MappingCreate) -> Mapping:
    check_id(id)
    sent_with_id(body, id)
    ctx.about("mapping", id)
    return service.create(ctx, tx, Mapping(id, body.schema_version, body.rules))


@routes.patch("/{id}", rule=policy.UPDATE, body=MappingUpdate, view=MappingView)
def update(ctx: Context, tx: Tx, id: str, body: MappingUpdate) -> Mapping:
    ctx.about("mapping", id)
    return service.update(ctx, tx, id, sent_with_id(body, id))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("mapping", id)
    service.delete(ctx, tx, id)
