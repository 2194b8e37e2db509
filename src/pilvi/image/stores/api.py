"""/v2/info: stores and import methods."""

from typing import Any

from pilvi.image.images import policy as images_policy
from pilvi.image.images import service as images
from pilvi.image.stores import policy
from pilvi.image.stores.model import Store, Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes


def deletion_for(stores: Stores) -> Routes:
    """/v2/stores: take an image out of one store."""
    routes = Routes("image", "/stores")

    @routes.delete("/{store}/{image_id}", rule=images_policy.DELETE_LOCATION)
    def delete(ctx: Context, tx: Tx, store: str, image_id: str) -> None:
        if stores.find(store) is None:
            images_policy.DELETE_LOCATION.check(ctx)
            raise NotFound(f"Unknown backend {store}: the stores are {', '.join(stores.ids)}.")
        images.remove_from_store(ctx, tx, image_id, store)

    return routes


def routes_for(stores: Stores, import_methods: tuple[str, ...]) -> Routes:
    routes = Routes("image", "/info")

    def plain(store: Store) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": store.id, "description": store.description}
        return shown | ({"default": "true"} if store is stores.default else {})

    @routes.get("/import", rule=None)
    def methods(ctx: Context, tx: Tx) -> dict[str, Any]:
        described = {"description": "Import methods available.", "type": "array", "value": list(import_methods)}
        return {"import-methods": described}

    @routes.get("/usage", rule=None)
    def usage(ctx: Context, tx: Tx) -> dict[str, Any]:
        return {"usage": images.usage(ctx, tx)}

    @routes.get("/stores", rule=None)
    def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
        return {"stores": [plain(store) for store in stores.all]}

    @routes.get("/stores/detail", rule=policy.DETAIL)
    def detail(ctx: Context, tx: Tx) -> dict[str, Any]:
        policy.DETAIL.check(ctx)
        return {
            "stores": [
                plain(s) | {"type": s.driver, "weight": s.weight, "properties": {"data_dir": str(s.directory)}}
                for s in stores.all
            ]
        }

    return routes
