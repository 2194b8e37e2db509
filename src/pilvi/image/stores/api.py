"""/v2/info: stores and import methods."""

from typing import Any

from pilvi.image.stores import policy
from pilvi.image.stores.model import Store, Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes


def routes_for(stores: Stores, import_methods: tuple[str, ...]) -> Routes:
    routes = Routes("image", "/info")

    def plain(store: Store) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": store.id, "description": store.description}
        return shown | ({"default": "true"} if store is stores.default else {})

    @routes.get("/import", rule=None)
    def methods(ctx: Context, tx: Tx) -> dict[str, Any]:
        described = {"description": "Import methods available.", "type": "array", "value": list(import_methods)}
        return {"import-methods": described}

    @routes.get("/stores", rule=None)
    def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
        _check_several(stores)
        return {"stores": [plain(store) for store in stores.all]}

    @routes.get("/stores/detail", rule=policy.DETAIL)
    def detail(ctx: Context, tx: Tx) -> dict[str, Any]:
        policy.DETAIL.check(ctx)
        _check_several(stores)
        return {
            "stores": [
                plain(s) | {"type": "file", "weight": s.weight, "properties": {"data_dir": str(s.directory)}}
                for s in stores.all
            ]
        }

    return routes


def _check_several(stores: Stores) -> None:
    if not stores.several:
        raise NotFound("Multi backend is not supported at this site.")
