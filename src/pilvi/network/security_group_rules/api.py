"""/security-group-rules."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.security_group_rules import policy, service
from pilvi.network.security_group_rules.model import SecurityGroupRule
from pilvi.network.security_group_rules.wire import SecurityGroupRuleCreate, SecurityGroupRuleView
from pilvi.network.standard.service import values_of

routes = Routes("network", "/v2.0/security-group-rules")


@routes.get(rule=policy.SHOW, view=SecurityGroupRuleView, writes=True, quiet=True)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[SecurityGroupRule]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=SecurityGroupRuleView)
def show(ctx: Context, tx: Tx, id: str) -> SecurityGroupRule:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=SecurityGroupRuleCreate, view=SecurityGroupRuleView, status=201)
def create(ctx: Context, tx: Tx, body: SecurityGroupRuleCreate) -> SecurityGroupRule:
    return service.create(ctx, tx, values_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
