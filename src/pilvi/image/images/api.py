"""/v2/images: parse, call one service function, let the wire room render."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from pilvi.image.images import policy, service
from pilvi.image.images.model import Image
from pilvi.image.images.wire import CREATE, JSON_PATCH, OLD_JSON_PATCH, PATCH, parse_create, parse_patch, render
from pilvi.image.property_protections.model import Protections
from pilvi.image.stores.model import Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes


def routes_for(stores: Stores, import_methods: tuple[str, ...], protections: Callable[[], Protections]) -> Routes:
    """The routes of images in a cloud with these stores. `protections`: who may do what with properties now."""
    routes = Routes("image", "/images")

    def shown(image: Image, readable: Callable[[Image], Image]) -> dict[str, Any]:
        return render(readable(image), with_locations=stores.shows_locations)

    @routes.post(rule=policy.ADD, raw=True, shape=CREATE)
    def create(ctx: Context, tx: Tx, body: Any) -> Answer:
        now = protections()
        image = service.create(ctx, tx, parse_create(body), now)
        headers = {
            "Location": f"{ctx.base_url}/v2/images/{image.id}",
            "OpenStack-image-import-methods": ",".join(import_methods),
            "OpenStack-image-store-ids": ",".join(stores.ids),
        }
        return Answer(201, shown(image, now.reader(ctx)), headers)

    @routes.get(rule=policy.LIST)
    def list_(ctx: Context, tx: Tx, query: Query) -> dict[str, Any]:
        now = protections()
        page, readable = service.list_(ctx, tx, query, now), now.reader(ctx)
        body: dict[str, Any] = {"images": [shown(image, readable) for image in page.items]}
        return body | page_links(query, page.items[-1].id if page.more and page.items else None)

    @routes.get("/{id}", rule=policy.GET)
    def show(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
        return shown(service.get(ctx, tx, id), protections().reader(ctx))

    @routes.patch("/{id}", rule=policy.MODIFY, raw=True, shape=PATCH, media=(JSON_PATCH, OLD_JSON_PATCH))
    def update(ctx: Context, tx: Tx, id: str, body: Any) -> dict[str, Any]:
        changes = parse_patch(body, (ctx.header("Content-Type") or "").strip().lower())
        now = protections()
        return shown(service.update(ctx, tx, id, changes, stores, now), now.reader(ctx))

    @routes.delete("/{id}", rule=policy.DELETE)
    def delete(ctx: Context, tx: Tx, id: str) -> None:
        service.delete(ctx, tx, id)

    @routes.post("/{id}/actions/deactivate", rule=policy.DEACTIVATE, status=204)
    def deactivate(ctx: Context, tx: Tx, id: str) -> None:
        service.deactivate(ctx, tx, id)

    @routes.post("/{id}/actions/reactivate", rule=policy.REACTIVATE, status=204)
    def reactivate(ctx: Context, tx: Tx, id: str) -> None:
        service.reactivate(ctx, tx, id)

    return routes


def page_links(query: Query, marker: str | None, path: str = "/v2/images", name: str = "images") -> dict[str, str]:
    """`first`, `next` where more follow, and the schema; relative, as this API has them."""
    first = urlencode([(k, v) for k, v in query.pairs if k != "marker"])
    links = {"first": f"{path}?{first}" if first else path, "schema": f"/v2/schemas/{name}"}
    if marker is not None:
        links["next"] = f"{path}?{query.with_changes({'marker': marker})}"
    return links
