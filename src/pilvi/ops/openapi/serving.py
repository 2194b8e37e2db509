"""GET /openapi and /openapi/<service>.json: ready bytes, made when somebody asks first."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Fault, NotFound
from pilvi.kernel.http import Service
from pilvi.kernel.routing import Answer, Routes
from pilvi.ops.openapi.document import TITLES, document


def service(services: Sequence[Service]) -> Service:
    """The documents of these services, as one more service beside them."""
    routes = Routes("openapi")
    made: dict[str, tuple[bytes, str]] = {}

    def bytes_of(name: str) -> tuple[bytes, str]:
        """Two threads may make the same bytes at once; either will do."""
        if name not in made:
            content = orjson.dumps(document(services, name))
            made[name] = content, f'"{sha256(content).hexdigest()[:32]}"'
        return made[name]

    @routes.get("", rule=None, auth="none")
    def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
        return {"documents": [{"service": n, "href": f"{ctx.base_url}/{n}.json"} for n in TITLES]}

    @routes.get("/{file}", rule=None, auth="none")
    def show(ctx: Context, tx: Tx, file: str) -> Answer:
        name = file.removesuffix(".json")
        if name not in TITLES:
            raise NotFound(f"There is no such document; there are {', '.join(f'{n}.json' for n in TITLES)}.")
        content, tag = bytes_of(name)
        headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
        if tag in (ctx.header("If-None-Match") or ""):
            return Answer(304, None, headers)
        return Answer(200, content, headers)

    return Service("openapi", prefix="/openapi", dress=_dress, routes=routes.routes)


def _dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    return {"error": {"code": fault.status, "title": fault.title, "message": fault.message}}
