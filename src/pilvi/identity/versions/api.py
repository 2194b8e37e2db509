"""GET / and GET /v3; neither needs a token."""

from functools import cache

import orjson

from pilvi.identity.versions.wire import json_home, version
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Route, Routes

routes = Routes("identity")
home: list[Route] = []
"""All routes of the service, filled in by `routes.service`."""


def _wants_home(ctx: Context) -> bool:
    return "application/json-home" in (ctx.header("Accept") or "")


@cache
def _home() -> bytes:
    return orjson.dumps(json_home(list({route.path for route in home})))


@routes.get("", rule=None, auth="none")
def list_versions(ctx: Context, tx: Tx) -> Answer:
    if _wants_home(ctx):
        return Answer(200, _home(), content_type="application/json-home")
    headers = {"Location": f"{ctx.base_url}/v3/", "Vary": "Accept"}
    return Answer(300, {"versions": {"values": [version(ctx)]}}, headers)


@routes.get("/v3", rule=None, auth="none")
def show_version(ctx: Context, tx: Tx) -> Answer:
    if _wants_home(ctx):
        return Answer(200, _home(), content_type="application/json-home")
    return Answer(200, {"version": version(ctx)}, {"Vary": "Accept"})
