from typing import Annotated

from pilvi.identity.wire import IdentityView, self_link
from pilvi.kernel.wire import Body, From, Length
from pilvi.kernel.wire import Name as OnWire

Type = Annotated[str, Length(1, 255)]
OptionalName = Annotated[str, Length(0, 255)]


class ServiceCreate(Body, root="service", extra=True):
    type: Type
    name: OptionalName = ""
    description: str | None = ""
    enabled: bool = True


class ServiceUpdate(Body, root="service", extra=True):
    type: Type = ""
    name: OptionalName = ""
    description: str | None = ""
    enabled: bool = True


class ServiceView(IdentityView, root="service", plural="services"):
    id: str
    type: str
    name: str
    description: str
    enabled: bool
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("services"))]
