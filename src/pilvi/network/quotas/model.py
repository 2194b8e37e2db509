"""Network quotas: names, defaults, and how a refusal reads."""

from pilvi.kernel.errors import Conflict

DEFAULTS = {
    "network": 100, "subnet": 100, "port": 500, "router": 10, "router_route": 30, "floatingip": 50,
    "security_group": 10, "security_group_rule": 100, "rbac_policy": 10, "subnetpool": -1,
}  # fmt: skip


def exceeded(resource: str) -> Conflict:
    return Conflict(f"Quota exceeded for resources: ['{resource}'].", type="OverQuota")
