"""Quotas on the wire."""

from typing import Annotated

from pilvi.kernel.wire import Body, Lenient, Range
from pilvi.network.standard.wire import Project, Truth

Limit = Annotated[int, Lenient(), Range(-1, 2**31 - 1)]


class QuotaUpdate(Body, root="quota"):
    network: Limit = -1
    subnet: Limit = -1
    port: Limit = -1
    router: Limit = -1
    router_route: Limit = -1
    floatingip: Limit = -1
    security_group: Limit = -1
    security_group_rule: Limit = -1
    rbac_policy: Limit = -1
    subnetpool: Limit = -1
    check_limit: Truth = False
    force: Truth = False
    project_id: Project = None
    tenant_id: Project = None
