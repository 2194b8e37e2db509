"""/servers/{id}/metadata."""

from typing import Annotated, Any

from pilvi.compute.server_metadata import service
from pilvi.compute.servers import policy
from pilvi.compute.servers.wire import METADATA_MOST, Metadata
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.kernel.wire import Body, Items

routes = Routes("compute", "/servers/{server_id}/metadata")


class MetadataBody(Body):
    metadata: Annotated[Metadata, Items(METADATA_MOST)]


class MetaBody(Body):
    meta: Annotated[Metadata, Items(1, 1)]


@routes.get(rule=policy.METADATA_LIST)
def list_(ctx: Context, tx: Tx, server_id: str) -> dict[str, Any]:
    return {"metadata": service.list_(ctx, tx, server_id)}


@routes.post(rule=policy.METADATA_CREATE, body=MetadataBody)
def create(ctx: Context, tx: Tx, server_id: str, body: MetadataBody) -> dict[str, Any]:
    return {"metadata": service.add(ctx, tx, server_id, body.metadata, policy.METADATA_CREATE)}


@routes.put(rule=policy.METADATA_UPDATE_ALL, body=MetadataBody)
def replace(ctx: Context, tx: Tx, server_id: str, body: MetadataBody) -> dict[str, Any]:
    return {"metadata": service.replace(ctx, tx, server_id, body.metadata)}


@routes.get("/{key}", rule=policy.METADATA_SHOW)
def show(ctx: Context, tx: Tx, server_id: str, key: str) -> dict[str, Any]:
    return {"meta": {key: service.show(ctx, tx, server_id, key)}}


@routes.put("/{key}", rule=policy.METADATA_UPDATE, body=MetaBody)
def update(ctx: Context, tx: Tx, server_id: str, key: str, body: MetaBody) -> dict[str, Any]:
    service.put(ctx, tx, server_id, key, body.meta)
    return {"meta": body.meta}


@routes.delete("/{key}", rule=policy.METADATA_DELETE)
def delete(ctx: Context, tx: Tx, server_id: str, key: str) -> None:
    service.delete(ctx, tx, server_id, key)
