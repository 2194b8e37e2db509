"""/extensions."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes
from pilvi.network.extensions import policy
from pilvi.network.extensions.model import EXTENSIONS

routes = Routes("network", "/v2.0/extensions")
SINCE = "2026-11-22T00:00:00-00:00"


def _shown(alias: str) -> dict[str, Any]:
    name, description = EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": description, "updated": SINCE, "links": []}


@routes.get(rule=policy.SHOW)
def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
    policy.SHOW.check(ctx)
    return {"extensions": [_shown(alias) for alias in EXTENSIONS]}


@routes.get("/{alias}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, alias: str) -> dict[str, Any]:
    policy.SHOW.check(ctx)
    if alias not in EXTENSIONS:
        raise NotFound(f"Extension with alias {alias} does not exist", type="ExtensionNotFound")
    return {"extension": _shown(alias)}
