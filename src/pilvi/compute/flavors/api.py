"""/flavors and who may use private ones."""

from typing import Any

from pilvi.compute.flavors import policy, service
from pilvi.compute.flavors.model import Flavor
from pilvi.compute.flavors.wire import AddAccess, FlavorBrief, FlavorCreate, FlavorUpdate, FlavorView, RemoveAccess
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/flavors")


@routes.get(rule=policy.LIST, view=FlavorBrief)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Flavor]:
    return service.list_(ctx, tx, query)


@routes.get("/detail", rule=policy.LIST, view=FlavorView)
def detail(ctx: Context, tx: Tx, query: Query) -> Page[Flavor]:
    return service.list_(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=FlavorCreate, view=FlavorView)
def create(ctx: Context, tx: Tx, body: FlavorCreate) -> Flavor:
    return service.create(
        ctx, tx, id=None if body.id is None else str(body.id), name=body.name, ram=body.ram, vcpus=body.vcpus,
        disk=body.disk, ephemeral=body.ephemeral, swap=body.swap, rxtx_factor=body.rxtx_factor,
        is_public=body.is_public, description=body.description,
    )  # fmt: skip


@routes.get("/{id}", rule=policy.LIST, view=FlavorView)
def show(ctx: Context, tx: Tx, id: str) -> Flavor:
    return service.show(ctx, tx, id)


@routes.put("/{id}", rule=policy.UPDATE, body=FlavorUpdate, view=FlavorView, since="2.55")
def update(ctx: Context, tx: Tx, id: str, body: FlavorUpdate) -> Flavor:
    return service.describe(ctx, tx, id, body.description)


@routes.delete("/{id}", rule=policy.DELETE, status=202)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)


@routes.get("/{id}/os-flavor-access", rule=policy.ACCESS)
def access(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
    return {"flavor_access": service.projects_with_access(ctx, tx, id)}


@routes.action("/{id}/action", "addTenantAccess", rule=policy.ADD_ACCESS, body=AddAccess, status=200)
def grant(ctx: Context, tx: Tx, id: str, body: AddAccess) -> dict[str, Any]:
    return {"flavor_access": service.grant(ctx, tx, id, body.tenant, to_public=ctx.version < 7)}


@routes.action("/{id}/action", "removeTenantAccess", rule=policy.REMOVE_ACCESS, body=RemoveAccess, status=200)
def revoke(ctx: Context, tx: Tx, id: str, body: RemoveAccess) -> dict[str, Any]:
    return {"flavor_access": service.revoke(ctx, tx, id, body.tenant)}
