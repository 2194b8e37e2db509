"""/address-scopes."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.address_scopes import policy, service
from pilvi.network.address_scopes.model import AddressScope
from pilvi.network.address_scopes.wire import AddressScopeCreate, AddressScopeUpdate, AddressScopeView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/address-scopes")


@routes.get(rule=policy.SHOW, view=AddressScopeView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[AddressScope]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=AddressScopeView)
def show(ctx: Context, tx: Tx, id: str) -> AddressScope:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=AddressScopeCreate, view=AddressScopeView, status=201)
def create(ctx: Context, tx: Tx, body: AddressScopeCreate) -> AddressScope:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=AddressScopeUpdate, view=AddressScopeView)
def update(ctx: Context, tx: Tx, id: str, body: AddressScopeUpdate) -> AddressScope:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
