from typing import Annotated, Any

from pilvi.identity.wire import Name, self_link
from pilvi.kernel.wire import Body, From, Schema, View
from pilvi.kernel.wire import Name as OnWire

Filters = Annotated[dict[str, Any], Schema({"type": "object", "maxProperties": 16})]


class EndpointGroupCreate(Body, root="endpoint_group", extra=True):
    name: Name
    description: str | None = ""
    filters: Filters


class EndpointGroupUpdate(Body, root="endpoint_group", extra=True):
    name: Name = ""
    description: str | None = ""
    filters: Filters = {}


class EndpointGroupView(View, root="endpoint_group", plural="endpoint_groups"):
    id: str
    name: str
    description: str
    filters: dict[str, Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("OS-EP-FILTER/endpoint_groups"))]
