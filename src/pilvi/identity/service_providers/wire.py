from typing import Annotated, Any

from pilvi.identity.wire import RepeatedId, self_link
from pilvi.kernel.wire import Body, From, Length, Pattern, View
from pilvi.kernel.wire import Name as OnWire

Url = Annotated[str, Length(1, 256), Pattern(r"^[a-zA-Z0-9+.-]+:.+")]
Prefix = Annotated[str, Length(1, 256)]


class ServiceProviderCreate(Body, root="service_provider"):
    id: RepeatedId = None
    auth_url: Url
    sp_url: Url
    enabled: bool = False
    description: str | None = None
    relay_state_prefix: Prefix = "ss:mem:"


class ServiceProviderUpdate(Body, root="service_provider"):
    id: RepeatedId = None
    auth_url: Url = ""
    sp_url: Url = ""
    enabled: bool = False
    description: str | None = None
    relay_state_prefix: Prefix = ""


class ServiceProviderView(View, root="service_provider", plural="service_providers"):
    id: str
    auth_url: str
    sp_url: str
    enabled: bool
    description: str | None
    relay_state_prefix: str
    its_links: Annotated[dict[str, Any], OnWire("links"), From(self_link("OS-FEDERATION/service_providers"))]
