"""Address scopes on the wire."""

from typing import Annotated

from pilvi.kernel.wire import Body, Lenient, Schema, View
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt

IpVersion = Annotated[int, Lenient(), Schema({"enum": [4, 6, "4", "6"]})]


class AddressScopeUpdate(Body, root="address_scope"):
    name: Text = ""
    shared: Truth = False


class AddressScopeCreate(AddressScopeUpdate, root="address_scope", plural="address_scopes"):
    ip_version: IpVersion
    project_id: Project = None
    tenant_id: Project = None


class AddressScopeView(View, root="address_scope", plural="address_scopes"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    ip_version: int
    shared: bool
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
