"""/os-services."""

from pilvi.compute.services import policy, service
from pilvi.compute.services.model import ComputeService
from pilvi.compute.services.wire import OldServiceUpdate, OldServiceView, ServiceUpdate, ServiceView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/os-services")


@routes.get(rule=policy.LIST, view=ServiceView)
def list_(ctx: Context, tx: Tx, host: str | None = None, binary: str | None = None) -> list[ComputeService]:
    return service.list_(ctx, tx, host=host, binary=binary)


@routes.put("/enable", rule=policy.UPDATE, body=OldServiceUpdate, view=OldServiceView, until="2.52")
def enable(ctx: Context, tx: Tx, body: OldServiceUpdate) -> ComputeService:
    return service.update(ctx, tx, service.find_by_host(tx, body.host, body.binary), disabled=False)


@routes.put("/disable", rule=policy.UPDATE, body=OldServiceUpdate, view=OldServiceView, until="2.52")
def disable(ctx: Context, tx: Tx, body: OldServiceUpdate) -> ComputeService:
    return service.update(ctx, tx, service.find_by_host(tx, body.host, body.binary), disabled=True)


@routes.put("/disable-log-reason", rule=policy.UPDATE, body=OldServiceUpdate, view=OldServiceView, until="2.52")
def disable_with_reason(ctx: Context, tx: Tx, body: OldServiceUpdate) -> ComputeService:
    found = service.find_by_host(tx, body.host, body.binary)
    return service.update(ctx, tx, found, disabled=True, reason=body.disabled_reason)


@routes.put("/force-down", rule=policy.UPDATE, body=OldServiceUpdate, view=OldServiceView, since="2.11", until="2.52")
def force_down(ctx: Context, tx: Tx, body: OldServiceUpdate) -> ComputeService:
    found = service.find_by_host(tx, body.host, body.binary)
    return service.update(ctx, tx, found, forced_down=bool(body.forced_down))


@routes.put("/{id}", rule=policy.UPDATE, body=ServiceUpdate, view=ServiceView, since="2.53")
def update(ctx: Context, tx: Tx, id: str, body: ServiceUpdate) -> ComputeService:
    disabled = None if body.status is None else body.status == "disabled"
    return service.update(
        ctx, tx, service.get(tx, id), disabled=disabled, reason=body.disabled_reason, forced_down=body.forced_down
    )
