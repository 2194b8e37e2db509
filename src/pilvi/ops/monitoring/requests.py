"""Counting requests by their route's template."""

from pilvi.kernel import measures, tracing
from pilvi.kernel.routing import Route
from pilvi.ops.monitoring.traced import observe_route


def observe_request(route: Route | None, method: str, status: int, seconds: float) -> None:
    """What the edge tells of each request. A path that is no route has no template and no duration."""
    if route is None:
        measures.REQUESTS.inc("none", "none", str(status))
        return
    name = route.name
    measures.REQUESTS.inc(route.service, name, str(status))
    measures.REQUEST_SECONDS.observe(seconds, route.service, name)
    if tracing.in_force() is not None and not route.quiet:
        observe_route(name)
