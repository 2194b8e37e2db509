"""/agent/v1: what a host's agent asks and tells. Callers are proven by the certificate of their host."""

from typing import Any

from pilvi.compute.hosts import policy, service
from pilvi.kernel.config import ComputeConfig
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes


def routes_for(config: ComputeConfig) -> Routes:
    """The agents' routes, with the ratios that turn a machine into an inventory."""
    routes = Routes("agent")

    @routes.get("/state", rule=policy.STATE, auth="host")
    def state(ctx: Context, tx: Tx, revision: str | None = None) -> Any:
        known = int(revision) if revision and revision.isdigit() else None
        found = service.state(ctx, tx, known)
        return Answer(304) if found is None else found

    @routes.post("/report", rule=policy.REPORT, raw=True, auth="host", quiet=True)
    def report(ctx: Context, tx: Tx, body: Any) -> dict[str, Any]:
        return service.report(ctx, tx, body, config)

    return routes
