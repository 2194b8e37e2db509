"""GET /allocation_candidates."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.allocation_candidates import policy, service
from pilvi.placement.allocation_candidates.wire import document, request
from pilvi.placement.wire import answer

routes = Routes("placement", "/allocation_candidates")


@routes.get(rule=policy.LIST, since="1.10")
def find(ctx: Context, tx: Tx, query: Query) -> Answer:
    policy.LIST.check(ctx)
    asked = request(query, ctx.version)
    found, places = service.find(ctx, tx, asked)
    classes = {name for group in asked.groups.values() for name in group.resources}
    return answer(ctx, document(ctx, found, places, classes))
