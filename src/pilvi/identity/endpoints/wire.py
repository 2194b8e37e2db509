from typing import Annotated, Literal

from pilvi.identity.wire import Id, IdentityView, Url, self_link
from pilvi.kernel.wire import Body, From, Length
from pilvi.kernel.wire import Name as OnWire

Interface = Literal["public", "internal", "admin"]
RegionId = Annotated[str | None, Length(0, 255)]


class EndpointCreate(Body, root="endpoint", extra=True):
    interface: Interface
    url: Url
    service_id: Id
    region_id: RegionId = None
    region: RegionId = None
    enabled: bool = True


class EndpointUpdate(Body, root="endpoint", extra=True):
    interface: Interface = "public"
    url: Url = ""
    service_id: Id = ""
    region_id: RegionId = None
    region: RegionId = None
    enabled: bool = True


class EndpointView(IdentityView, root="endpoint", plural="endpoints"):
    id: str
    interface: str
    url: str
    service_id: str
    region_id: str | None
    region: Annotated[str | None, From(lambda e: e.region_id)]
    enabled: bool
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("endpoints"))]
