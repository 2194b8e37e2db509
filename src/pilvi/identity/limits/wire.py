from typing import Annotated, Any

from pilvi.identity.limits.model import Limit
from pilvi.identity.registered_limits.model import RegisteredLimit
from pilvi.identity.registered_limits.wire import Amount, RegionId, Resource, ServiceId
from pilvi.identity.wire import NullableId
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, Items


class LimitCreate(Body):
    service_id: ServiceId
    resource_name: Resource
    resource_limit: Amount
    region_id: RegionId = None
    project_id: NullableId = None
    domain_id: NullableId = None
    description: str | None = None


class LimitsCreate(Body):
    limits: Annotated[list[LimitCreate], Items(1000, 1)]


class LimitUpdate(Body, root="limit"):
    resource_limit: Amount = 0
    description: str | None = None


def shown(limit: Limit, registered: RegisteredLimit, ctx: Context) -> dict[str, Any]:
    return {
        "id": limit.id, "project_id": limit.project_id, "domain_id": limit.domain_id,
        "service_id": registered.service_id, "region_id": registered.region_id,
        "resource_name": registered.resource_name, "resource_limit": limit.resource_limit,
        "description": limit.description, "links": {"self": f"{ctx.base_url}/v3/limits/{limit.id}"},
    }  # fmt: skip
