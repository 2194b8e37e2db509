"""What placement demands of a request's headers, before anything else is looked at."""

import falcon

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest, NotAcceptable, NotFound, UnsupportedMediaType
from pilvi.kernel.routing import Route

JSON = "application/json"


def check(ctx: Context, req: falcon.Request, routes: list[Route] | None) -> None:
    length = req.env.get("CONTENT_LENGTH") or ""
    if length and not length.isdigit():
        raise BadRequest("content-length header must be an integer")
    kind = req.env.get("CONTENT_TYPE") or None
    if length not in ("", "0") and kind is None:
        raise BadRequest("content-type header required when content-length > 0")
    if routes is None:
        return
    routes = [route for route in routes if route.since <= ctx.version <= route.until]
    if not routes:
        raise NotFound("The resource could not be found.")
    needs_body = any(route.body is not None or route.raw for route in routes)
    if needs_body and (kind is None or kind.partition(";")[0].strip().lower() != JSON):
        raise UnsupportedMediaType(f"The media type {kind} is not supported, use {JSON}")
    if req.method == "GET" and not req.client_accepts(JSON):
        raise NotAcceptable(f"Only {JSON} is provided")
