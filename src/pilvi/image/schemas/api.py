"""/v2/schemas."""

from typing import Any

from pilvi.image.schemas.model import SCHEMAS
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes

routes = Routes("image", "/schemas")


@routes.get("/{name}", rule=None)
def show(ctx: Context, tx: Tx, name: str) -> dict[str, Any]:
    return _find(name)


@routes.get("/metadefs/{name}", rule=None)
def show_metadef(ctx: Context, tx: Tx, name: str) -> dict[str, Any]:
    return _find(f"metadefs/{name}")


def _find(name: str) -> dict[str, Any]:
    if name not in SCHEMAS:
        raise NotFound(f"There is no schema {name}; there are {', '.join(sorted(SCHEMAS))}.")
    return SCHEMAS[name]
