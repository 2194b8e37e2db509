from typing import Annotated

from pilvi.identity.wire import IdentityView, self_link
from pilvi.kernel.wire import Body, From, Length
from pilvi.kernel.wire import Name as OnWire

RegionId = Annotated[str | None, Length(0, 255)]
Description = Annotated[str | None, Length(0, 255)]


class RegionCreate(Body, root="region", extra=True):
    id: RegionId = None
    description: Description = ""
    parent_region_id: RegionId = None


class RegionUpdate(Body, root="region", extra=True):
    description: Description = ""
    parent_region_id: RegionId = None


class RegionView(IdentityView, root="region", plural="regions"):
    id: str
    description: str
    parent_region_id: str | None
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("regions"))]
