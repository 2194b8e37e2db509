"""Subnets on the wire."""

from typing import Annotated, Literal

from pilvi.kernel.wire import Body, Items, Lenient, Name, Range, View
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt, Uuid

Mode = Literal["slaac", "dhcpv6-stateful", "dhcpv6-stateless"]
Pairs = list[dict[str, str]]


class SubnetUpdate(Body, root="subnet"):
    name: Text = ""
    description: Text = ""
    gateway_ip: str | None = None
    allocation_pools: Annotated[Pairs | None, Items(50)] = None
    dns_nameservers: Annotated[list[str] | None, Items(100)] = None
    host_routes: Annotated[Pairs | None, Items(100)] = None
    enable_dhcp: Truth = True
    service_types: Annotated[list[str] | None, Items(20)] = None
    dns_publish_fixed_ip: Truth = False


class SubnetCreate(SubnetUpdate, root="subnet", plural="subnets"):
    network_id: Uuid
    ip_version: Annotated[int, Lenient(), Range(4, 6)] = 4
    cidr: str | None = None
    subnetpool_id: Uuid | None = None
    use_default_subnetpool: Truth = False
    prefixlen: Annotated[int | None, Lenient(), Range(0, 128)] = None
    ipv6_ra_mode: Mode | None = None
    ipv6_address_mode: Mode | None = None
    project_id: Project = None
    tenant_id: Project = None


class SubnetView(View, root="subnet", plural="subnets"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    network_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    allocation_pools: Pairs
    dns_nameservers: list[str]
    host_routes: Pairs
    service_types: list[str]
    dns_publish_fixed_ip: bool
    ipv6_ra_mode: str | None
    ipv6_address_mode: str | None
    subnetpool_id: str | None
    external: Annotated[bool, Name("router:external")]
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
