"""Networks on the wire."""

from typing import Annotated

from pilvi.kernel.wire import Body, From, Items, Lenient, Name, Range, ShownTo, View
from pilvi.network.networks.model import Network
from pilvi.network.networks.policy import PROVIDER
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt

Number = Annotated[int, Lenient(), Range(0, 2**31 - 1)]


class NetworkUpdate(Body, root="network"):
    name: Text = ""
    description: Text = ""
    admin_state_up: Truth = True
    shared: Truth = False
    external: Annotated[bool, Lenient(), Name("router:external")] = False
    is_default: Truth = False
    mtu: Annotated[int | None, Lenient(), Range(0, 65535)] = 0
    port_security_enabled: Truth = True
    dns_domain: Text = ""
    network_type: Annotated[str | None, Name("provider:network_type")] = None
    physical_network: Annotated[str | None, Name("provider:physical_network")] = None
    segmentation_id: Annotated[int | None, Lenient(), Range(0, 2**31 - 1), Name("provider:segmentation_id")] = None


class NetworkCreate(NetworkUpdate, root="network", plural="networks"):
    project_id: Project = None
    tenant_id: Project = None
    availability_zone_hints: Annotated[list[str], Items(10)] = []


def _active(o: Network) -> str:
    return "ACTIVE"


def _zones(o: Network) -> list[str]:
    return ["nova"] if o.subnets else []


def _scope4(o: Network) -> str | None:
    return o.scopes.get(4)


def _scope6(o: Network) -> str | None:
    return o.scopes.get(6)


class NetworkView(View, root="network", plural="networks"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    admin_state_up: bool
    status: Annotated[str, From(_active)]
    shared: bool
    external: Annotated[bool, Name("router:external")]
    is_default: bool
    mtu: int
    port_security_enabled: bool
    dns_domain: str
    availability_zone_hints: list[str]
    availability_zones: Annotated[list[str], From(_zones)]
    subnets: list[str]
    ipv4_address_scope: Annotated[str | None, From(_scope4)]
    ipv6_address_scope: Annotated[str | None, From(_scope6)]
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
    network_type: Annotated[str, Name("provider:network_type"), ShownTo(PROVIDER)]
    physical_network: Annotated[str | None, Name("provider:physical_network"), ShownTo(PROVIDER)]
    segmentation_id: Annotated[int, Name("provider:segmentation_id"), ShownTo(PROVIDER)]
