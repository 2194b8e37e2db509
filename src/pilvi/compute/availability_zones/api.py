"""/os-availability-zone."""

from typing import Any

from pilvi.compute.availability_zones.policy import DETAIL, LIST
from pilvi.compute.services import service as services
from pilvi.compute.services.model import DEFAULT_ZONE, ComputeService
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes

routes = Routes("compute", "/os-availability-zone")


def _zone(name: str, available: bool, hosts: dict[str, Any] | None) -> dict[str, Any]:
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": hosts}


@routes.get(rule=LIST)
def list_(ctx: Context, tx: Tx) -> dict[str, Any]:
    LIST.check(ctx)
    available = any(s.state == "up" and s.status == "enabled" for s in services.all_services(tx))
    return {"availabilityZoneInfo": [_zone(DEFAULT_ZONE, available, None)]}


@routes.get("/detail", rule=DETAIL)
def detail(ctx: Context, tx: Tx) -> dict[str, Any]:
    DETAIL.check(ctx)
    found = services.all_services(tx)
    hosts = {s.host: {s.binary: _state(s)} for s in found}
    available = any(s.state == "up" and s.status == "enabled" for s in found)
    return {"availabilityZoneInfo": [_zone(DEFAULT_ZONE, available, hosts)]}


def _state(service: ComputeService) -> dict[str, Any]:
    return {
        "active": service.status == "enabled",
        "available": service.state == "up",
        "updated_at": service.updated_at.removesuffix("Z"),
    }
