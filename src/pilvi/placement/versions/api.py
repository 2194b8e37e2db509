"""GET / without a token."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.microversions import HISTORY
from pilvi.placement.wire import answer

routes = Routes("placement")


@routes.get("", rule=None, auth="none")
def show(ctx: Context, tx: Tx) -> Answer:
    document = {
        "id": "v1.0",
        "min_version": next(iter(HISTORY)),
        "max_version": list(HISTORY)[-1],
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return answer(ctx, {"versions": [document]})
