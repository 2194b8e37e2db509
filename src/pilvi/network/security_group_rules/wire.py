"""Rules of security groups on the wire."""

from typing import Annotated, Any, Literal

from pilvi.kernel.wire import Body, From, Lenient, Name, Range, View
from pilvi.network.security_group_rules.model import SecurityGroupRule, normalized
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, UpdatedAt, Uuid

PortNumber = Annotated[int | None, Lenient(), Range(-(2**31), 2**31 - 1)]


class SecurityGroupRuleCreate(Body, root="security_group_rule", plural="security_group_rules"):
    security_group_id: Uuid
    direction: Literal["ingress", "egress"]
    ethertype: str | None = "IPv4"
    protocol: str | int | None = None
    port_range_min: PortNumber = None
    port_range_max: PortNumber = None
    remote_ip_prefix: str | None = None
    remote_group_id: Uuid | None = None
    description: Text = ""
    project_id: Project = None
    tenant_id: Project = None


def _normalized(o: SecurityGroupRule) -> str | None:
    return normalized(o.remote_ip_prefix)


def _no_address_group(o: SecurityGroupRule) -> Any:
    return None


class SecurityGroupRuleView(View, root="security_group_rule", plural="security_group_rules"):
    id: str
    project_id: str
    tenant_id: TenantId
    security_group_id: str
    direction: str
    ethertype: str
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None
    normalized_cidr: Annotated[str | None, From(_normalized)]
    remote_group_id: str | None
    remote_address_group_id: Annotated[Any, From(_no_address_group)]
    is_default: Annotated[bool, Name("belongs_to_default_sg")]
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
