"""RBAC policies on the wire."""

from typing import Annotated, Literal

from pilvi.kernel.wire import Body, Length, Name, View
from pilvi.network.standard.wire import Project, TenantId, Uuid


class RbacPolicyCreate(Body, root="rbac_policy", plural="rbac_policies"):
    object_type: Literal["network", "security_group", "address_scope", "subnetpool"]
    object_id: Uuid
    action: Annotated[str, Length(1, 255)]
    target: Annotated[str, Name("target_tenant"), Length(1, 255)] = ""
    target_project_id: Annotated[str, Length(1, 255)] = ""
    project_id: Project = None
    tenant_id: Project = None


class RbacPolicyUpdate(Body, root="rbac_policy"):
    target: Annotated[str, Name("target_tenant"), Length(1, 255)] = ""
    target_project_id: Annotated[str, Length(1, 255)] = ""


class RbacPolicyView(View, root="rbac_policy", plural="rbac_policies"):
    id: str
    project_id: str
    tenant_id: TenantId
    object_type: str
    object_id: str
    action: str
    target_project: Annotated[str, Name("target_tenant")]
