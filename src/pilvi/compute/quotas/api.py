"""/os-quota-sets, /os-quota-class-sets, /limits."""

from typing import Any

from pilvi.compute.quotas import policy, service
from pilvi.compute.quotas.wire import QuotaClassUpdate, QuotaUpdate, absolute, visible
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes

routes = Routes("compute")


@routes.get("/os-quota-sets/{project_id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    values = service.show(ctx, tx, project_id)
    return {"quota_set": {"id": project_id, **visible(values, ctx.version)}}


@routes.get("/os-quota-sets/{project_id}/defaults", rule=policy.DEFAULTS)
def defaults(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    values = service.defaults(ctx, tx, project_id)
    return {"quota_set": {"id": project_id, **visible(values, ctx.version)}}


@routes.get("/os-quota-sets/{project_id}/detail", rule=policy.DETAIL)
def detail(ctx: Context, tx: Tx, project_id: str) -> dict[str, Any]:
    values = service.detail(ctx, tx, project_id)
    return {"quota_set": {"id": project_id, **visible(values, ctx.version)}}


@routes.put("/os-quota-sets/{project_id}", rule=policy.UPDATE, body=QuotaUpdate)
def update(ctx: Context, tx: Tx, project_id: str, body: QuotaUpdate) -> dict[str, Any]:
    values = service.update(ctx, tx, project_id, body.sent(), force=body.force)
    return {"quota_set": visible(values, ctx.version)}


@routes.delete("/os-quota-sets/{project_id}", rule=policy.DELETE, status=202)
def reset(ctx: Context, tx: Tx, project_id: str) -> None:
    service.reset(ctx, tx, project_id)


@routes.get("/os-quota-class-sets/{name}", rule=policy.CLASS_SHOW)
def show_class(ctx: Context, tx: Tx, name: str) -> dict[str, Any]:
    return {"quota_class_set": {"id": name, **visible(service.class_limits(ctx, tx), ctx.version)}}


@routes.put("/os-quota-class-sets/{name}", rule=policy.CLASS_UPDATE, body=QuotaClassUpdate)
def update_class(ctx: Context, tx: Tx, name: str, body: QuotaClassUpdate) -> dict[str, Any]:
    return {"quota_class_set": visible(service.update_class(ctx, tx, body.sent()), ctx.version)}


@routes.get("/limits", rule=policy.LIMITS)
def limits(ctx: Context, tx: Tx, tenant_id: str | None = None) -> dict[str, Any]:
    found, used = service.limits_and_usage(ctx, tx, tenant_id)
    return {"limits": {"rate": [], "absolute": absolute(found, used, ctx.version)}}
