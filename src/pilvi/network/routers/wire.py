"""Routers on the wire."""

from typing import Annotated, Any

from pilvi.kernel.wire import Body, From, Items, Lenient, View
from pilvi.network.routers.model import Router
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt, Uuid


class RouterUpdate(Body, root="router"):
    name: Text = ""
    description: Text = ""
    admin_state_up: Truth = True
    external_gateway_info: dict[str, Any] | None = None
    routes: Annotated[list[dict[str, str]] | None, Items(200)] = None
    distributed: Annotated[bool | None, Lenient()] = None
    ha: Annotated[bool | None, Lenient()] = None


class RouterCreate(RouterUpdate, root="router", plural="routers"):
    availability_zone_hints: Annotated[list[str], Items(10)] = []
    project_id: Project = None
    tenant_id: Project = None


class InterfaceChange(Body):
    subnet_id: Uuid | None = None
    port_id: Uuid | None = None


class RouteChange(Body, root="router"):
    routes: Annotated[list[dict[str, str]], Items(200)]


def _gateway(o: Router) -> dict[str, Any] | None:
    if o.gateway_network_id is None:
        return None
    return {
        "network_id": o.gateway_network_id, "enable_snat": o.enable_snat, "external_fixed_ips": o.gateway_ips,
    }  # fmt: skip


def _no(o: Router) -> bool:
    return False


def _zones(o: Router) -> list[str]:
    return ["nova"] if o.host else []


def _no_flavor(o: Router) -> Any:
    return None


class RouterView(View, root="router", plural="routers"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    admin_state_up: bool
    status: str
    external_gateway_info: Annotated[Any, From(_gateway)]
    routes: list[dict[str, str]]
    distributed: Annotated[bool, From(_no)]
    ha: Annotated[bool, From(_no)]
    flavor_id: Annotated[Any, From(_no_flavor)]
    availability_zone_hints: list[str]
    availability_zones: Annotated[list[str], From(_zones)]
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
