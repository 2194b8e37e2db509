"""/resource_classes."""

import re
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.resource_classes import policy, service
from pilvi.placement.resource_classes.model import CUSTOM_PATTERN
from pilvi.placement.resource_classes.wire import NAME_SCHEMA, ResourceClassCreate, ResourceClassRename, shown
from pilvi.placement.wire import answer

routes = Routes("placement", "/resource_classes")


@routes.get(rule=policy.LIST, since="1.2")
def list_all(ctx: Context, tx: Tx) -> Answer:
    found = service.list_all(ctx, tx)
    return answer(ctx, {"resource_classes": [shown(c, ctx) for c in found]})


@routes.post(rule=policy.CREATE, since="1.2", body=ResourceClassCreate)
def create(ctx: Context, tx: Tx, body: Any) -> Answer:
    service.create(ctx, tx, body["name"])
    ctx.about("resource_class", body["name"][:64], body["name"])
    return answer(ctx, None, status=201, location=f"/resource_classes/{body['name']}")


@routes.get("/{name}", rule=policy.SHOW, since="1.2")
def show(ctx: Context, tx: Tx, name: str) -> Answer:
    found = service.show(ctx, tx, name)
    return answer(ctx, shown(found, ctx), changed_at=found.updated_at)


@routes.put("/{name}", rule=policy.UPDATE, since="1.2", until="1.6", body=ResourceClassRename)
def rename(ctx: Context, tx: Tx, name: str, body: Any) -> Answer:
    ctx.about("resource_class", name[:64], name)
    return answer(ctx, shown(service.rename(ctx, tx, name, body["name"]), ctx))


@routes.put("/{name}", rule=policy.UPDATE, since="1.7")
def ensure(ctx: Context, tx: Tx, name: str) -> Answer:
    if not re.match(CUSTOM_PATTERN, name) or len(name) > 255:
        policy.UPDATE.check(ctx)
        NAME_SCHEMA.check({"name": name}, ctx.version)
        raise BadRequest(f"{name} is no name for a resource class.")
    ctx.about("resource_class", name[:64], name)
    created = service.ensure(ctx, tx, name)
    return answer(ctx, None, status=201 if created else 204, location=f"/resource_classes/{name}")


@routes.delete("/{name}", rule=policy.DELETE, since="1.2")
def delete(ctx: Context, tx: Tx, name: str) -> None:
    ctx.about("resource_class", name[:64], name)
    service.delete(ctx, tx, name)
