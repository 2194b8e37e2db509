"""Version documents; nobody needs a token to read them."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

routes = Routes("network")
COLLECTIONS = {
    "network": "networks", "subnet": "subnets", "port": "ports", "router": "routers", "floatingip": "floatingips",
    "security_group": "security-groups", "security_group_rule": "security-group-rules", "quota": "quotas",
    "subnetpool": "subnetpools", "address_scope": "address-scopes", "rbac_policy": "rbac-policies",
    "extension": "extensions", "agent": "agents", "availability_zone": "availability_zones",
    "network_ip_availability": "network-ip-availabilities",
}  # fmt: skip


@routes.get("", rule=None, auth="none")
def list_(ctx: Context, tx: Tx) -> Answer:
    link = {"rel": "self", "href": f"{ctx.base_url}/v2.0/"}
    return Answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


@routes.get("/v2.0", rule=None, auth="none")
def show(ctx: Context, tx: Tx) -> dict[str, Any]:
    def link(path: str) -> list[dict[str, str]]:
        return [{"rel": "self", "href": f"{ctx.base_url}/v2.0/{path}"}]

    return {
        "resources": [
            {"name": name, "collection": path.replace("-", "_"), "links": link(path)}
            for name, path in COLLECTIONS.items()
        ]
    }
