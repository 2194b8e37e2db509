"""Subnet pools on the wire."""

from typing import Annotated

from pilvi.kernel.wire import Body, Items, Lenient, Range, View
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt, Uuid

PrefixLength = Annotated[int | None, Lenient(), Range(0, 128)]


class SubnetPoolUpdate(Body, root="subnetpool"):
    name: Text = ""
    description: Text = ""
    prefixes: Annotated[list[str], Items(100)] = []
    default_prefixlen: PrefixLength = None
    min_prefixlen: PrefixLength = None
    max_prefixlen: PrefixLength = None
    default_quota: Annotated[int | None, Lenient(), Range(0, 2**31 - 1)] = None
    address_scope_id: Uuid | None = None
    is_default: Truth = False
    shared: Truth = False


class SubnetPoolCreate(SubnetPoolUpdate, root="subnetpool", plural="subnetpools"):
    project_id: Project = None
    tenant_id: Project = None


class SubnetPoolView(View, root="subnetpool", plural="subnetpools"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    prefixes: list[str]
    ip_version: int
    default_prefixlen: int
    min_prefixlen: int
    max_prefixlen: int
    default_quota: int | None
    address_scope_id: str | None
    is_default: bool
    shared: bool
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
