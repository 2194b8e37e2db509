from typing import Annotated, Any

from pilvi.identity.identity_providers.model import IdentityProvider, Protocol
from pilvi.identity.wire import NullableId, RepeatedId
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, From, Items, Length, Range, View
from pilvi.kernel.wire import Name as OnWire

RemoteIds = Annotated[list[Annotated[str, Length(1, 255)]] | None, Items(1000, unique=True)]
Ttl = Annotated[int | None, Range(0, 2**31 - 1)]


class ProviderCreate(Body, root="identity_provider"):
    id: RepeatedId = None
    enabled: bool = False
    description: str | None = None
    authorization_ttl: Ttl = None
    remote_ids: RemoteIds = None
    domain_id: NullableId = None


class ProviderUpdate(Body, root="identity_provider"):
    id: RepeatedId = None
    enabled: bool = False
    description: str | None = None
    authorization_ttl: Ttl = None
    remote_ids: RemoteIds = None


class ProtocolWrite(Body, root="protocol"):
    id: RepeatedId = None
    mapping_id: Annotated[str, Length(1, 64)]
    remote_id_attribute: Annotated[str | None, Length(0, 64)] = None


def _url(ctx: Context, id: str) -> str:
    return f"{ctx.base_url}/v3/OS-FEDERATION/identity_providers/{id}"


def _links(provider: IdentityProvider, ctx: Context) -> dict[str, str]:
    url = _url(ctx, provider.id)
    return {"self": url, "protocols": f"{url}/protocols"}


def _protocol_links(protocol: Protocol, ctx: Context) -> dict[str, str]:
    url = _url(ctx, protocol.idp_id)
    return {"identity_provider": url, "self": f"{url}/protocols/{protocol.id}"}


class ProviderView(View, root="identity_provider", plural="identity_providers"):
    id: str
    domain_id: str
    enabled: bool
    description: str | None
    authorization_ttl: int | None
    remote_ids: list[str]
    its_links: Annotated[dict[str, Any], OnWire("links"), From(_links)]


class ProtocolView(View, root="protocol", plural="protocols"):
    id: str
    mapping_id: str
    remote_id_attribute: str | None
    its_links: Annotated[dict[str, Any], OnWire("links"), From(_protocol_links)]
