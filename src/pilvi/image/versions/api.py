"""Version documents; nobody needs a token to read them."""

from typing import Any

from pilvi.image.stores.model import Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

ALWAYS = (
    "2.17", "2.15", "2.13", "2.12", "2.11", "2.10",
    "2.9", "2.8", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0",
)  # fmt: skip
WITH_CACHE = ("2.18", "2.16", "2.14")


def routes_for(stores: Stores) -> Routes:
    routes = Routes("image")
    numbers = [*ALWAYS, *(WITH_CACHE if stores.cache is not None else ())]
    numbers.sort(key=lambda number: int(number.partition(".")[2]), reverse=True)

    def document(ctx: Context) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{ctx.base_url}/v2/"}]
        status = ("CURRENT", *("SUPPORTED" for _ in numbers[1:]))
        return {
            "versions": [{"id": f"v{n}", "status": s, "links": links} for n, s in zip(numbers, status, strict=True)]
        }

    @routes.get("", rule=None, auth="none")
    def choices(ctx: Context, tx: Tx) -> Answer:
        return Answer(300, document(ctx))

    @routes.get("/versions", rule=None, auth="none")
    def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
        return document(ctx)

    return routes
