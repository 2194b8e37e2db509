"""/servers/{id}/tags, from 2.26."""

from typing import Annotated, Any

from pilvi.compute.server_tags import service
from pilvi.compute.servers import policy
from pilvi.compute.servers.wire import TAGS_LIMIT, Tag
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes
from pilvi.kernel.wire import Body, Items

routes = Routes("compute", "/servers/{server_id}/tags")


class TagsBody(Body):
    tags: Annotated[list[Tag], Items(TAGS_LIMIT, unique=True)]


@routes.get(rule=policy.TAGS_LIST, since="2.26")
def list_(ctx: Context, tx: Tx, server_id: str) -> dict[str, Any]:
    return {"tags": service.list_(ctx, tx, server_id)}


@routes.put(rule=policy.TAGS_UPDATE_ALL, body=TagsBody, since="2.26")
def replace(ctx: Context, tx: Tx, server_id: str, body: TagsBody) -> dict[str, Any]:
    return {"tags": service.replace(ctx, tx, server_id, body.tags)}


@routes.delete(rule=policy.TAGS_DELETE_ALL, since="2.26")
def clear(ctx: Context, tx: Tx, server_id: str) -> None:
    service.clear(ctx, tx, server_id)


@routes.get("/{tag}", rule=policy.TAGS_SHOW, since="2.26", status=204)
def show(ctx: Context, tx: Tx, server_id: str, tag: str) -> None:
    service.check(ctx, tx, server_id, tag)


@routes.put("/{tag}", rule=policy.TAGS_UPDATE, since="2.26")
def add(ctx: Context, tx: Tx, server_id: str, tag: str) -> Answer:
    new = service.add(ctx, tx, server_id, tag)
    location = f"{ctx.base_url}/v2.1/servers/{server_id}/tags/{tag}"
    return Answer(201 if new else 204, None, {"Location": location})


@routes.delete("/{tag}", rule=policy.TAGS_DELETE, since="2.26")
def delete(ctx: Context, tx: Tx, server_id: str, tag: str) -> None:
    service.remove(ctx, tx, server_id, tag)
