"""/v2/metadefs/namespaces."""

from typing import Any

from pilvi.image.images.api import page_links
from pilvi.image.metadef_entries import service as entries
from pilvi.image.metadef_namespaces import policy, service
from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.image.metadef_namespaces.wire import (
    NAMESPACE,
    checked,
    render_namespace,
    render_object,
    render_property,
    render_tag,
)
from pilvi.image.metadef_resource_types import service as resource_types
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("image", "/metadefs/namespaces")


@routes.get(rule=policy.LIST)
def list_(ctx: Context, tx: Tx, query: Query) -> dict[str, Any]:
    types = [name for text in query.all("resource_types") for name in text.split(",") if name]
    page = service.list_(ctx, tx, query, resource_types.namespaces_for(tx, types) if types else None)
    associations = resource_types.of(tx, page.items)
    shown = [render_namespace(n, associations.get(n.id, [])) for n in page.items]
    marker = page.items[-1].namespace if page.more and page.items else None
    return {"namespaces": shown} | page_links(query, marker, "/v2/metadefs/namespaces", "metadefs/namespaces")


@routes.post(rule=policy.ADD, raw=True, shape=NAMESPACE)
def create(ctx: Context, tx: Tx, body: Any) -> Answer:
    given = checked(NAMESPACE, body)
    namespace = service.create(ctx, tx, given)
    for type in given.get("resource_type_associations", []):
        resource_types.add(tx, namespace, type["name"], type.get("prefix"), type.get("properties_target"))
    for name, definition in given.get("properties", {}).items():
        entries.add(tx, namespace, "property", name, definition)
    for kind, plural in (("object", "objects"), ("tag", "tags")):
        for entry in given.get(plural, []):
            entries.add(tx, namespace, kind, entry["name"], {k: v for k, v in entry.items() if k != "name"})
    location = f"{ctx.base_url}/v2/metadefs/namespaces/{namespace.namespace}"
    return Answer(201, _detail(tx, namespace), {"Location": location})


@routes.get("/{namespace}", rule=policy.GET)
def show(ctx: Context, tx: Tx, namespace: str, query: Query) -> dict[str, Any]:
    found = service.get(ctx, tx, namespace)
    return _detail(tx, found, query.get("resource_type"))


def _detail(tx: Tx, namespace: Namespace, type_name: str | None = None) -> dict[str, Any]:
    """With everything that stands in it; for a resource type, with its prefix before properties."""
    associations = resource_types.of(tx, [namespace]).get(namespace.id, [])
    prefix = next((a.prefix or "" for a in associations if a.name == type_name), "")
    properties = {prefix + p.name: render_property(p, prefix) for p in entries.list_(tx, namespace, "property")}
    objects = [render_object(namespace, o) for o in entries.list_(tx, namespace, "object")]
    tags = [render_tag(t) for t in entries.list_(tx, namespace, "tag")]
    inner = {"properties": properties, "objects": objects, "tags": tags}
    return render_namespace(namespace, associations) | {k: v for k, v in inner.items() if v}


@routes.put("/{namespace}", rule=policy.MODIFY, raw=True, shape=NAMESPACE)
def update(ctx: Context, tx: Tx, namespace: str, body: Any) -> dict[str, Any]:
    given = checked(NAMESPACE, body)
    inner = {"properties", "objects", "tags", "resource_type_associations"} & set(given)
    if inner:
        raise BadRequest(f"{', '.join(sorted(inner))} are changed at their own addresses.")
    changed = service.update(ctx, tx, namespace, given)
    return render_namespace(changed, resource_types.of(tx, [changed]).get(changed.id, []))


@routes.delete("/{namespace}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, namespace: str) -> None:
    gone = service.delete(ctx, tx, namespace)
    entries.delete_all(tx, gone)
    resource_types.remove_all(tx, gone)
