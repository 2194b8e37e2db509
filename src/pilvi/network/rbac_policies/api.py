"""/rbac-policies."""

from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.rbac_policies import policy, service
from pilvi.network.rbac_policies.model import RbacPolicy
from pilvi.network.rbac_policies.wire import RbacPolicyCreate, RbacPolicyUpdate, RbacPolicyView
from pilvi.network.standard.model import invalid
from pilvi.network.standard.service import owner

routes = Routes("network", "/v2.0/rbac-policies")
FILTERS = {
    "id": "id", "object_type": "object_type", "object_id": "object_id", "action": "action",
    "target_tenant": "target_project", "project_id": "project_id", "tenant_id": "project_id",
}  # fmt: skip


def _target(body: RbacPolicyCreate | RbacPolicyUpdate) -> str:
    target = body.target or body.target_project_id
    if not target:
        raise invalid("target_tenant is missing: give a project id or '*'.")
    return target


@routes.get(rule=policy.SHOW, view=RbacPolicyView)
def list_(ctx: Context, tx: Tx, query: Query) -> list[RbacPolicy]:
    return service.list_(ctx, tx, {FILTERS[name]: values for name, values in query.filters(FILTERS).items()})


@routes.get("/{id}", rule=policy.SHOW, view=RbacPolicyView)
def show(ctx: Context, tx: Tx, id: str) -> RbacPolicy:
    return service.get(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=RbacPolicyCreate, view=RbacPolicyView, status=201)
def create(ctx: Context, tx: Tx, body: RbacPolicyCreate) -> RbacPolicy:
    one = RbacPolicy(ids.uuid(), owner(ctx, body), body.object_type, body.object_id, body.action, _target(body))
    return service.create(ctx, tx, one)


@routes.put("/{id}", rule=policy.UPDATE, body=RbacPolicyUpdate, view=RbacPolicyView)
def update(ctx: Context, tx: Tx, id: str, body: RbacPolicyUpdate) -> RbacPolicy:
    return service.update(ctx, tx, id, _target(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
