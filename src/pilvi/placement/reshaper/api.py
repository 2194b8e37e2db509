"""POST /reshaper."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes
from pilvi.placement.allocations.wire import wish
from pilvi.placement.reshaper import policy, service
from pilvi.placement.reshaper.wire import Reshape

routes = Routes("placement", "/reshaper")


@routes.post(rule=policy.RESHAPE, since="1.30", raw=True, shape=Reshape.document, status=204)
def reshape(ctx: Context, tx: Tx, body: Any) -> None:
    policy.RESHAPE.check(ctx)
    Reshape.schemas.check(body, ctx.version)
    wishes = [(wish(uuid, one), one["consumer_generation"]) for uuid, one in body["allocations"].items()]
    service.reshape(ctx, tx, body["inventories"], wishes)
