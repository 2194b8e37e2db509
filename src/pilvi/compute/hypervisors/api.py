"""/os-hypervisors."""

from typing import Any

from pilvi.compute.hypervisors import policy, service
from pilvi.compute.hypervisors.model import Hypervisor
from pilvi.compute.hypervisors.wire import HypervisorBrief, HypervisorView, HypervisorWithServers
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/os-hypervisors")


@routes.get(rule=policy.LIST, view=HypervisorBrief)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Hypervisor]:
    return service.list_(ctx, tx, query, policy.LIST)


@routes.get("/detail", rule=policy.DETAIL, view=HypervisorView)
def detail(ctx: Context, tx: Tx, query: Query) -> Page[Hypervisor]:
    return service.list_(ctx, tx, query, policy.DETAIL)


@routes.get("/statistics", rule=policy.STATISTICS)
def statistics(ctx: Context, tx: Tx) -> dict[str, Any]:
    return {"hypervisor_statistics": service.statistics(ctx, tx)}


@routes.get("/{id}", rule=policy.SHOW, view=HypervisorView)
def show(ctx: Context, tx: Tx, id: str, query: Query) -> Hypervisor:
    with_servers = ctx.version >= 53 and query.flag("with_servers")
    return service.get(ctx, tx, id, policy.SHOW, with_servers=with_servers)


@routes.get("/{id}/uptime", rule=policy.UPTIME)
def uptime(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
    found = service.get(ctx, tx, id, policy.UPTIME)
    brief = HypervisorBrief.renderer(ctx)(found, ctx)
    return {"hypervisor": brief | {"uptime": found.facts["uptime"]}}


@routes.get("/{pattern}/search", rule=policy.SEARCH, view=HypervisorBrief, until="2.52")
def search(ctx: Context, tx: Tx, pattern: str) -> list[Hypervisor]:
    return service.search(ctx, tx, pattern, policy.SEARCH, with_servers=False)


@routes.get("/{pattern}/servers", rule=policy.SERVERS, view=HypervisorWithServers, until="2.52")
def servers(ctx: Context, tx: Tx, pattern: str) -> list[Hypervisor]:
    return service.search(ctx, tx, pattern, policy.SERVERS, with_servers=True)
