"""/v2/images/{id}/locations, for other services."""

from typing import Any, Final

import jsonschema_rs

from pilvi.image.image_locations import policy, service
from pilvi.image.image_locations.wire import LOCATION
from pilvi.image.stores.model import Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Answer, Routes
from pilvi.kernel.wire import explain

_VALIDATOR: Final = jsonschema_rs.Draft202012Validator(LOCATION)


def routes_for(stores: Stores) -> Routes:
    routes = Routes("image", "/images/{image_id}/locations")

    @routes.get(rule=policy.FETCH)
    def list_(ctx: Context, tx: Tx, image_id: str) -> list[dict[str, Any]]:
        return service.list_(ctx, tx, image_id)

    @routes.post(rule=policy.ADD, raw=True, shape=LOCATION)
    def add(ctx: Context, tx: Tx, image_id: str, body: Any) -> Answer:
        if not _VALIDATOR.is_valid(body):
            raise BadRequest(f"Invalid location: {explain(_VALIDATOR, body)}")
        service.add(ctx, tx, image_id, body, stores)
        return Answer(202)

    return routes
