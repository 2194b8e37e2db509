"""/resource_providers/{uuid}/usages and /usages."""

import re

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.allocations.wire import CONSUMER_TYPE_PATTERN, TYPE_SINCE
from pilvi.placement.usages import policy, service
from pilvi.placement.validation import Schemas, strict
from pilvi.placement.wire import answer

routes = Routes("placement")
_OWNER = {"type": "string", "minLength": 1, "maxLength": 255}
QUERY = Schemas(
    {
        0: strict({"project_id": _OWNER, "user_id": _OWNER}, ["project_id"]),
        38: strict({"project_id": _OWNER, "user_id": _OWNER, "consumer_type": {"type": "string"}}, ["project_id"]),
    },
    "Invalid query string parameters",
)


@routes.get("/resource_providers/{uuid}/usages", rule=policy.OF_PROVIDER)
def of_provider(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider, usages = service.of_provider(ctx, tx, uuid)
    return answer(ctx, {"resource_provider_generation": provider.generation, "usages": usages})


@routes.get("/usages", rule=policy.OF_PROJECT, since="1.9")
def of_project(ctx: Context, tx: Tx, query: Query) -> Answer:
    given = {name: query.get(name) for name in query}
    QUERY.check(given, ctx.version)
    only = given.get("consumer_type")
    if only is not None and only not in ("all", "unknown") and not re.match(CONSUMER_TYPE_PATTERN, only):
        raise BadRequest(f"Invalid query string parameters: {only!r} does not match {CONSUMER_TYPE_PATTERN!r}")
    by_type = ctx.version >= TYPE_SINCE
    usages = service.of_project(ctx, tx, given["project_id"] or "", given.get("user_id"), by_type=by_type, only=only)
    return answer(ctx, {"usages": usages})
