"""/availability_zones: one zone, for networks and for routers."""

from typing import Any

from pilvi.kernel import hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.network.availability_zones import policy

routes = Routes("network", "/v2.0/availability_zones")


@routes.get(rule=policy.SHOW)
def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
    policy.SHOW.check(ctx)
    state = "available" if any(host.is_up() for host in hosts.all_hosts(tx)) else "unavailable"
    zones = [{"name": "nova", "resource": resource, "state": state} for resource in ("network", "router")]
    return {"availability_zones": zones}
