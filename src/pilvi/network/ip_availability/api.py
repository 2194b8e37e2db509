"""/network-ip-availabilities. An IPv6 subnet has more addresses than the JSON of the edge can count."""

import json
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.network.ip_availability import policy, service

routes = Routes("network", "/v2.0/network-ip-availabilities")


def _answer(value: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(value).encode())


@routes.get(rule=policy.SHOW)
def list_(ctx: Context, tx: Tx, query: Query) -> Answer:
    return _answer({"network_ip_availabilities": service.list_(ctx, tx, query)})


@routes.get("/{id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, id: str) -> Answer:
    return _answer({"network_ip_availability": service.show(ctx, tx, id)})
