"""/v2/metadefs/namespaces/{ns}/objects, /properties and /tags."""

from typing import Any

from pilvi.image.images.api import page_links
from pilvi.image.metadef_entries import service
from pilvi.image.metadef_namespaces import policy
from pilvi.image.metadef_namespaces import service as namespaces
from pilvi.image.metadef_namespaces.wire import (
    OBJECT,
    PROPERTY,
    TAG,
    TAGS,
    checked,
    render_object,
    render_property,
    render_tag,
)
from pilvi.image.metadef_resource_types import service as resource_types
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.kernel.wire import boolean

routes = Routes("image", "/metadefs/namespaces/{namespace}")


def _split(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return given["name"], {k: v for k, v in given.items() if k != "name"}


# ---- objects -----------------------------------------------------------------------------------------------------


@routes.get("/objects", rule=policy.LIST_OBJECTS)
def list_objects(ctx: Context, tx: Tx, namespace: str, query: Query) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.LIST_OBJECTS)
    shown = [render_object(found, entry) for entry in service.list_(tx, found, "object")]
    path = f"/v2/metadefs/namespaces/{namespace}/objects"
    return {"objects": shown} | page_links(query, None, path, "metadefs/objects")


@routes.post("/objects", rule=policy.ADD_OBJECT, raw=True, shape=OBJECT)
def create_object(ctx: Context, tx: Tx, namespace: str, body: Any) -> Answer:
    found = namespaces.get(ctx, tx, namespace, policy.ADD_OBJECT)
    name, definition = _split(checked(OBJECT, body))
    shown = render_object(found, service.add(tx, found, "object", name, definition))
    return Answer(201, shown, {"Location": f"{ctx.base_url}{shown['self']}"})


@routes.delete("/objects", rule=policy.DELETE_OBJECT)
def delete_objects(ctx: Context, tx: Tx, namespace: str) -> None:
    service.delete_all(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_OBJECT), "object")


@routes.get("/objects/{name}", rule=policy.GET_OBJECT)
def show_object(ctx: Context, tx: Tx, namespace: str, name: str) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.GET_OBJECT)
    return render_object(found, service.get(tx, found, "object", name))


@routes.put("/objects/{name}", rule=policy.MODIFY_OBJECT, raw=True, shape=OBJECT)
def update_object(ctx: Context, tx: Tx, namespace: str, name: str, body: Any) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.MODIFY_OBJECT)
    new_name, definition = _split(checked(OBJECT, body))
    return render_object(found, service.update(tx, found, "object", name, new_name=new_name, definition=definition))


@routes.delete("/objects/{name}", rule=policy.DELETE_OBJECT)
def delete_object(ctx: Context, tx: Tx, namespace: str, name: str) -> None:
    service.delete(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_OBJECT), "object", name)


# ---- properties --------------------------------------------------------------------------------------------------


@routes.get("/properties", rule=policy.LIST_PROPERTIES)
def list_properties(ctx: Context, tx: Tx, namespace: str) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.LIST_PROPERTIES)
    return {"properties": {e.name: render_property(e) for e in service.list_(tx, found, "property")}}


@routes.post("/properties", rule=policy.ADD_PROPERTY, raw=True, shape=PROPERTY)
def create_property(ctx: Context, tx: Tx, namespace: str, body: Any) -> Answer:
    found = namespaces.get(ctx, tx, namespace, policy.ADD_PROPERTY)
    name, definition = _split(checked(PROPERTY, body))
    entry = service.add(tx, found, "property", name, definition)
    location = f"{ctx.base_url}/v2/metadefs/namespaces/{namespace}/properties/{name}"
    return Answer(201, render_property(entry), {"Location": location})


@routes.delete("/properties", rule=policy.DELETE_PROPERTY)
def delete_properties(ctx: Context, tx: Tx, namespace: str) -> None:
    service.delete_all(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_PROPERTY), "property")


@routes.get("/properties/{name}", rule=policy.GET_PROPERTY)
def show_property(ctx: Context, tx: Tx, namespace: str, name: str, resource_type: str | None = None) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.GET_PROPERTY)
    associations = resource_types.of(tx, [found]).get(found.id, [])
    prefix = next((a.prefix or "" for a in associations if a.name == resource_type), "")
    return render_property(service.get(tx, found, "property", name.removeprefix(prefix)), prefix)


@routes.put("/properties/{name}", rule=policy.MODIFY_PROPERTY, raw=True, shape=PROPERTY)
def update_property(ctx: Context, tx: Tx, namespace: str, name: str, body: Any) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.MODIFY_PROPERTY)
    new_name, definition = _split(checked(PROPERTY, body))
    return render_property(service.update(tx, found, "property", name, new_name=new_name, definition=definition))


@routes.delete("/properties/{name}", rule=policy.DELETE_PROPERTY)
def delete_property(ctx: Context, tx: Tx, namespace: str, name: str) -> None:
    service.delete(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_PROPERTY), "property", name)


# ---- tags --------------------------------------------------------------------------------------------------------


@routes.get("/tags", rule=policy.LIST_TAGS)
def list_tags(ctx: Context, tx: Tx, namespace: str, query: Query) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.LIST_TAGS)
    shown = [{"name": entry.name} for entry in service.list_(tx, found, "tag")]
    path = f"/v2/metadefs/namespaces/{namespace}/tags"
    return {"tags": shown} | page_links(query, None, path, "metadefs/tags")


@routes.post("/tags", rule=policy.ADD_TAGS, raw=True, shape=TAGS)
def create_tags(ctx: Context, tx: Tx, namespace: str, body: Any) -> Answer:
    """All tags anew, or more of them where the client says so in a header."""
    found = namespaces.get(ctx, tx, namespace, policy.ADD_TAGS)
    given = checked(TAGS, body)
    if not boolean(ctx.header("X-Openstack-Append") or "false"):
        service.delete_all(tx, found, "tag")
    for tag in given["tags"]:
        service.add(tx, found, "tag", tag["name"], {})
    return Answer(201, {"tags": [{"name": tag["name"]} for tag in given["tags"]]})


@routes.delete("/tags", rule=policy.DELETE_TAGS)
def delete_tags(ctx: Context, tx: Tx, namespace: str) -> None:
    service.delete_all(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_TAGS), "tag")


@routes.post("/tags/{name}", rule=policy.ADD_TAG)
def create_tag(ctx: Context, tx: Tx, namespace: str, name: str) -> Answer:
    found = namespaces.get(ctx, tx, namespace, policy.ADD_TAG)
    checked(TAG, {"name": name})
    location = f"{ctx.base_url}/v2/metadefs/namespaces/{namespace}/tags/{name}"
    return Answer(201, render_tag(service.add(tx, found, "tag", name, {})), {"Location": location})


@routes.get("/tags/{name}", rule=policy.GET_TAG)
def show_tag(ctx: Context, tx: Tx, namespace: str, name: str) -> dict[str, Any]:
    return render_tag(service.get(tx, namespaces.get(ctx, tx, namespace, policy.GET_TAG), "tag", name))


@routes.put("/tags/{name}", rule=policy.MODIFY_TAG, raw=True, shape=TAG)
def update_tag(ctx: Context, tx: Tx, namespace: str, name: str, body: Any) -> dict[str, Any]:
    found = namespaces.get(ctx, tx, namespace, policy.MODIFY_TAG)
    new_name, definition = _split(checked(TAG, body))
    return render_tag(service.update(tx, found, "tag", name, new_name=new_name, definition=definition))


@routes.delete("/tags/{name}", rule=policy.DELETE_TAG)
def delete_tag(ctx: Context, tx: Tx, namespace: str, name: str) -> None:
    service.delete(tx, namespaces.get(ctx, tx, namespace, policy.DELETE_TAG), "tag", name)
