"""/security-groups."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.security_groups import policy, service
from pilvi.network.security_groups.model import SecurityGroup
from pilvi.network.security_groups.wire import SecurityGroupCreate, SecurityGroupUpdate, SecurityGroupView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/security-groups")


@routes.get(
    rule=policy.SHOW, view=SecurityGroupView, writes=True, quiet=True
)  # The first look makes the default group.
def list_(ctx: Context, tx: Tx, query: Query) -> Page[SecurityGroup]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=SecurityGroupView)
def show(ctx: Context, tx: Tx, id: str) -> SecurityGroup:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=SecurityGroupCreate, view=SecurityGroupView, status=201)
def create(ctx: Context, tx: Tx, body: SecurityGroupCreate) -> SecurityGroup:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=SecurityGroupUpdate, view=SecurityGroupView)
def update(ctx: Context, tx: Tx, id: str, body: SecurityGroupUpdate) -> SecurityGroup:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
