"""Security groups on the wire."""

from typing import Annotated, Any

from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, From, Name, View
from pilvi.network.security_group_rules.wire import SecurityGroupRuleView
from pilvi.network.security_groups.model import SecurityGroup
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt


class SecurityGroupUpdate(Body, root="security_group"):
    name: Text = ""
    description: Text = ""
    stateful: Truth = True


class SecurityGroupCreate(SecurityGroupUpdate, root="security_group", plural="security_groups"):
    project_id: Project = None
    tenant_id: Project = None


def _rules(o: SecurityGroup, c: Context) -> list[Any]:
    render = SecurityGroupRuleView.renderer(c)
    return [render(rule, c) for rule in o.rules]


class SecurityGroupView(View, root="security_group", plural="security_groups"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    description: str
    stateful: bool
    shared: bool
    rules: Annotated[list[Any], Name("security_group_rules"), From(_rules)]
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
