"""/v2/schemas."""

from typing import Any

from pilvi.image.metadef_namespaces.wire import NAMESPACE, OBJECT, PROPERTY, RESOURCE_TYPE, TAG
from pilvi.image.schemas.model import SCHEMAS, collection
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes

routes = Routes("image", "/schemas")

METADEFS = {
    "namespace": NAMESPACE,
    "object": OBJECT,
    "property": PROPERTY,
    "resource_type": RESOURCE_TYPE | {"name": "resource_type_association"},
    "tag": TAG,
}
PLURALS = {"property": "properties"}


@routes.get("/{name}", rule=None)
def show(ctx: Context, tx: Tx, name: str) -> dict[str, Any]:
    return _find(name)


@routes.get("/metadefs/{name}", rule=None)
def show_metadef(ctx: Context, tx: Tx, name: str) -> dict[str, Any]:
    for singular, schema in METADEFS.items():
        plural = PLURALS.get(singular, singular + "s")
        named = {"name": singular} | schema
        if name == singular:
            return named
        if name == plural:
            return collection(f"{named['name']}s" if singular not in PLURALS else plural, named)
    return _find(f"metadefs/{name}")


def _find(name: str) -> dict[str, Any]:
    if name not in SCHEMAS:
        raise NotFound(f"There is no schema {name}; there are {', '.join(sorted(SCHEMAS))}.")
    return SCHEMAS[name]
