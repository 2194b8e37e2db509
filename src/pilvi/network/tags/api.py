"""/{collection}/{id}/tags, of every collection that has tags."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.network.tags import policy, service
from pilvi.network.tags.wire import TagList


def _routes_for(collection: str, kind: str) -> Routes:
    routes = Routes("network", f"/v2.0/{collection}")

    @routes.get("/{id}/tags", rule=policy.SHOW[kind])
    def list_(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
        return {"tags": service.list_(ctx, tx, kind, id)}

    @routes.get("/{id}/tags/{tag}", rule=policy.SHOW[kind], status=204)
    def show(ctx: Context, tx: Tx, id: str, tag: str) -> None:
        service.show(ctx, tx, kind, id, tag)

    @routes.post("/{id}/tags", rule=policy.CREATE[kind], body=TagList, status=201)
    def add(ctx: Context, tx: Tx, id: str, body: TagList) -> dict[str, Any]:
        return {"tags": service.add(ctx, tx, kind, id, body.tags)}

    @routes.put("/{id}/tags", rule=policy.UPDATE[kind], body=TagList)
    def replace(ctx: Context, tx: Tx, id: str, body: TagList) -> dict[str, Any]:
        return {"tags": service.replace(ctx, tx, kind, id, body.tags)}

    @routes.put("/{id}/tags/{tag}", rule=policy.UPDATE[kind], status=201)
    def add_one(ctx: Context, tx: Tx, id: str, tag: str) -> None:
        service.add_one(ctx, tx, kind, id, tag)

    @routes.delete("/{id}/tags", rule=policy.DELETE[kind], body=TagList, body_optional=True)
    def remove_all(ctx: Context, tx: Tx, id: str, body: TagList | None) -> None:
        service.remove(ctx, tx, kind, id, None if body is None else body.tags)

    @routes.delete("/{id}/tags/{tag}", rule=policy.DELETE[kind])
    def remove(ctx: Context, tx: Tx, id: str, tag: str) -> None:
        service.remove(ctx, tx, kind, id, [tag])

    return routes


routes = Routes("network")
for _collection, _kind in policy.COLLECTIONS.items():
    routes.routes += _routes_for(_collection, _kind).routes
