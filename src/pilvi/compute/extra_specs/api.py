"""/flavors/{id}/os-extra_specs."""

from typing import Any

from pilvi.compute.flavors import policy, service
from pilvi.compute.flavors.wire import ONE, ExtraSpecs
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/flavors/{id}/os-extra_specs")


@routes.get(rule=policy.EXTRA_INDEX)
def list_(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
    return {"extra_specs": service.extra_specs(ctx, tx, id)}


@routes.post(rule=policy.EXTRA_CREATE, body=ExtraSpecs)
def create(ctx: Context, tx: Tx, id: str, body: ExtraSpecs) -> dict[str, Any]:
    return {"extra_specs": service.set_extra_specs(ctx, tx, id, body.more)}


@routes.get("/{key}", rule=policy.EXTRA_SHOW)
def show(ctx: Context, tx: Tx, id: str, key: str) -> dict[str, str]:
    return service.extra_spec(ctx, tx, id, key)


@routes.put("/{key}", rule=policy.EXTRA_UPDATE, raw=True, shape=ONE)
def update(ctx: Context, tx: Tx, id: str, key: str, body: Any) -> dict[str, str]:
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object with the key and its value.")
    return service.set_extra_spec(ctx, tx, id, key, body)


@routes.delete("/{key}", rule=policy.EXTRA_DELETE, status=200)
def delete(ctx: Context, tx: Tx, id: str, key: str) -> None:
    service.delete_extra_spec(ctx, tx, id, key)
