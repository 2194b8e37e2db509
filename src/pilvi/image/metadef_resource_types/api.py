"""/v2/metadefs/resource_types and the ones of a namespace."""

from typing import Any

from pilvi.image.metadef_namespaces import policy
from pilvi.image.metadef_namespaces import service as namespaces
from pilvi.image.metadef_namespaces.wire import RESOURCE_TYPE, checked, render_association
from pilvi.image.metadef_resource_types import service
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

routes = Routes("image", "/metadefs")


@routes.get("/resource_types", rule=policy.LIST_TYPES)
def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
    return {"resource_types": [{"name": name} for name in service.names(ctx, tx)]}


@routes.get("/namespaces/{namespace}/resource_types", rule=policy.GET_TYPE)
def list_associations(ctx: Context, tx: Tx, namespace: str) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.GET_TYPE)
    associations = service.of(tx, [found]).get(found.id, [])
    return {"resource_type_associations": [render_association(a) for a in associations]}


@routes.post("/namespaces/{namespace}/resource_types", rule=policy.ADD_TYPE, raw=True, shape=RESOURCE_TYPE)
def associate(ctx: Context, tx: Tx, namespace: str, body: Any) -> Answer:
    found = namespaces.get(ctx, tx, namespace, policy.ADD_TYPE)
    given = checked(RESOURCE_TYPE, body)
    made = service.add(tx, found, given["name"], given.get("prefix"), given.get("properties_target"))
    location = f"{ctx.base_url}/v2/metadefs/namespaces/{namespace}/resource_types"
    return Answer(201, render_association(made), {"Location": location})


@routes.delete("/namespaces/{namespace}/resource_types/{name}", rule=policy.REMOVE_TYPE)
def dissociate(ctx: Context, tx: Tx, namespace: str, name: str) -> None:
    service.remove(tx, namespaces.get(ctx, tx, namespace, policy.REMOVE_TYPE), name)
