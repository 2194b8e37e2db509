"""/quotas."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.network.quotas import policy, service
from pilvi.network.quotas.model import DEFAULTS
from pilvi.network.quotas.wire import QuotaUpdate

routes = Routes("network", "/v2.0/quotas")


@routes.get(rule=policy.LIST)
def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
    return {"quotas": service.list_(ctx, tx)}


@routes.get("/tenant", rule=None)
def whose(ctx: Context, tx: Tx) -> dict[str, Any]:
    return {"tenant": {"tenant_id": ctx.project_id}}


@routes.get("/project", rule=None)
def whose_project(ctx: Context, tx: Tx) -> dict[str, Any]:
    return {"project": {"project_id": ctx.project_id}}


@routes.get("/{project_id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    return {"quota": service.show(ctx, tx, project_id)}


@routes.get("/{project_id}/default", rule=policy.SHOW)
def defaults(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    return {"quota": service.defaults(ctx, tx, project_id)}


@routes.get("/{project_id}/details", rule=policy.SHOW)
def details(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    return {"quota": service.details(ctx, tx, project_id)}


@routes.get("/{project_id}/details.json", rule=policy.SHOW)
def details_json(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    return {"quota": service.details(ctx, tx, project_id)}


@routes.put("/{project_id}", rule=policy.UPDATE, body=QuotaUpdate)
def update(ctx: Context, tx: Tx, project_id: str, body: QuotaUpdate) -> dict[str, Any]:
    values = {name: value for name, value in body.sent().items() if name in DEFAULTS}
    return {"quota": service.update(ctx, tx, project_id, values, check_limit=body.check_limit)}


@routes.delete("/{project_id}", rule=policy.DELETE)
def reset(ctx: Context, tx: Tx, project_id: str) -> None:
    service.reset(ctx, tx, project_id)
