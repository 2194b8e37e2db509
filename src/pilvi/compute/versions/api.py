"""Version documents; nobody needs a token to read them."""

from typing import Any

from pilvi.compute.microversions import HISTORY
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

root = Routes("compute")
routes = Routes("compute")
TYPE = "application/vnd.openstack.compute+json;version=2.1"


def _current(ctx: Context) -> dict[str, Any]:
    first, last = next(iter(HISTORY)), list(HISTORY)[-1]
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": last,
        "min_version": first,
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{ctx.base_url}/v2.1/"}],
    }


@routes.get("", rule=None, auth="none")
def show(ctx: Context, tx: Tx) -> dict[str, Any]:
    media = [{"base": "application/json", "type": TYPE}]
    document = _current(ctx)
    document["links"].append(
        {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/api-ref/compute/"}
    )
    return {"version": document | {"media-types": media}}


@root.get("", rule=None, auth="none")
def list_(ctx: Context, tx: Tx) -> Answer:
    return Answer(200, {"versions": [_current(ctx)]})
