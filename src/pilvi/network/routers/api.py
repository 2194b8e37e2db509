"""/routers."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.routers import policy, service
from pilvi.network.routers.model import Router
from pilvi.network.routers.wire import InterfaceChange, RouteChange, RouterCreate, RouterUpdate, RouterView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/routers")


@routes.get(rule=policy.SHOW, view=RouterView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Router]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=RouterView)
def show(ctx: Context, tx: Tx, id: str) -> Router:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=RouterCreate, view=RouterView, status=201)
def create(ctx: Context, tx: Tx, body: RouterCreate) -> Router:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=RouterUpdate, view=RouterView)
def update(ctx: Context, tx: Tx, id: str, body: RouterUpdate) -> Router:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)


@routes.put("/{id}/add_router_interface", rule=policy.ADD_INTERFACE, body=InterfaceChange)
def add_interface(ctx: Context, tx: Tx, id: str, body: InterfaceChange) -> dict[str, Any]:
    return service.add_interface(ctx, tx, id, subnet_id=body.subnet_id, port_id=body.port_id)


@routes.put("/{id}/remove_router_interface", rule=policy.REMOVE_INTERFACE, body=InterfaceChange)
def remove_interface(ctx: Context, tx: Tx, id: str, body: InterfaceChange) -> dict[str, Any]:
    return service.remove_interface(ctx, tx, id, subnet_id=body.subnet_id, port_id=body.port_id)


@routes.put("/{id}/add_extraroutes", rule=policy.ADD_ROUTES, body=RouteChange, view=RouterView)
def add_routes(ctx: Context, tx: Tx, id: str, body: RouteChange) -> Router:
    return service.add_routes(ctx, tx, id, body.routes)


@routes.put("/{id}/remove_extraroutes", rule=policy.REMOVE_ROUTES, body=RouteChange, view=RouterView)
def remove_routes(ctx: Context, tx: Tx, id: str, body: RouteChange) -> Router:
    return service.remove_routes(ctx, tx, id, body.routes)
