from typing import Annotated, Any

from pilvi.identity.wire import self_link
from pilvi.kernel.wire import Body, From, Items, Length, Range, View
from pilvi.kernel.wire import Name as OnWire

ServiceId = Annotated[str, Length(1, 64)]
RegionId = Annotated[str | None, Length(0, 255)]
Resource = Annotated[str, Length(1, 255)]
Amount = Annotated[int, Range(-1, 2**31 - 1)]


class RegisteredLimitCreate(Body):
    service_id: ServiceId
    region_id: RegionId = None
    resource_name: Resource
    default_limit: Amount
    description: str | None = None


class RegisteredLimitsCreate(Body):
    registered_limits: Annotated[list[RegisteredLimitCreate], Items(1000, 1)]


class RegisteredLimitUpdate(Body, root="registered_limit"):
    service_id: ServiceId = ""
    region_id: RegionId = None
    resource_name: Resource = ""
    default_limit: Amount = 0
    description: str | None = None


class RegisteredLimitView(View, root="registered_limit", plural="registered_limits"):
    id: str
    service_id: str
    region_id: str | None
    resource_name: str
    default_limit: int
    description: str | None
    its_links: Annotated[dict[str, Any], OnWire("links"), From(self_link("registered_limits"))]
