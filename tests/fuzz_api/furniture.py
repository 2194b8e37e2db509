"""What a cloud has before the walk begins, so that paths lead somewhere: one object of each kind, by plain requests."""

from collections.abc import Callable
from typing import Any, Final

from tests.contract.client import Client
from tests.contract.compute.conftest import FACTS, Boot, Node
from tests.contract.image.conftest import fill, made

LISTS: Final = {
    "/identity/v3": ("/projects", "/users", "/roles", "/domains", "/regions", "/services", "/endpoints"),
    "/placement": ("/traits", "/resource_classes"),
    "/network/v2.0": ("/security-groups", "/security-group-rules"),
}
"""What there is from the start."""

Body = dict[str, Any]
UUID: Final = "7a0e6c0e-6a44-4c1e-8f0e-2c9d0c2a5f01"
RULES: Final = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
WISHES: Final[dict[str, list[tuple[str, str, Body]]]] = {
    "/identity/v3": [
        ("POST", "/domains", {"domain": {"name": "far", "enabled": False}}),
        ("POST", "/groups", {"group": {"name": "team", "domain_id": "default"}}),
        ("POST", "/credentials", {"credential": {"type": "cert", "blob": "x"}}),
        ("POST", "/policies", {"policy": {"type": "x", "blob": "y"}}),
        ("POST", "/registered_limits", {"registered_limits": [
            {"service_id": "{services}", "resource_name": "things", "default_limit": 5}]}),
        ("POST", "/limits", {"limits": [{"service_id": "{services}", "resource_name": "things", "resource_limit": 4,
                                         "project_id": "{projects}"}]}),
        ("PUT", "/OS-FEDERATION/mappings/m", {"mapping": {"rules": RULES}}),
        ("PUT", "/OS-FEDERATION/identity_providers/corp", {"identity_provider": {"enabled": True}}),
        ("PUT", "/OS-FEDERATION/identity_providers/corp/protocols/openid", {"protocol": {"mapping_id": "m"}}),
        ("POST", "/OS-EP-FILTER/endpoint_groups", {
            "endpoint_group": {"name": "e", "filters": {"interface": "public"}}}),
        ("PUT", "/domains/default/config", {"config": {"identity": {"list_limit": 10}}}),
        ("POST", "/users/{me}/application_credentials", {"application_credential": {
            "name": "robot", "access_rules": [{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]}}),
        ("POST", "/users/{me}/credentials/OS-EC2", {"tenant_id": "{my_project}"}),
        ("POST", "/OS-TRUST/trusts", {"trust": {
            "trustor_user_id": "{me}", "trustee_user_id": "{users}", "impersonation": False,
            "project_id": "{my_project}", "roles": [{"name": "member"}]}}),
    ],
    "/image/v2": [
        ("POST", "/images", {"name": "one", "disk_format": "raw", "container_format": "bare"}),
        ("POST", "/images", {"name": "all", "visibility": "public"}),
        ("POST", "/metadefs/namespaces", {"namespace": "OS::Things", "visibility": "public"}),
        ("POST", "/metadefs/namespaces/OS::Things/objects", {"name": "thing"}),
        ("POST", "/metadefs/namespaces/OS::Things/properties", {"name": "size", "title": "Size", "type": "integer"}),
        ("POST", "/metadefs/namespaces/OS::Things/tags/blue", {}),
        ("POST", "/metadefs/namespaces/OS::Things/resource_types", {"name": "OS::Glance::Image"}),
    ],
    "/placement": [
        ("POST", "/resource_providers", {"name": "node", "uuid": UUID}),
        ("PUT", f"/resource_providers/{UUID}/inventories", {
            "resource_provider_generation": 0, "inventories": {"VCPU": {"total": 64}, "MEMORY_MB": {"total": 65536}}}),
        ("PUT", "/traits/CUSTOM_GOLD", {}),
        ("POST", "/resource_classes", {"name": "CUSTOM_FPGA"}),
    ],
    "/network/v2.0": [
        ("POST", "/networks", {"network": {"name": "one"}}),
        ("POST", "/networks", {"network": {"name": "outside", "router:external": True}}),
        ("POST", "/subnets", {"subnet": {"network_id": "{networks}", "ip_version": 4, "cidr": "10.20.0.0/24"}}),
        ("POST", "/ports", {"port": {"network_id": "{networks}"}}),
        ("POST", "/routers", {"router": {"name": "r"}}),
        ("POST", "/address-scopes", {"address_scope": {"name": "a", "ip_version": 4}}),
        ("POST", "/subnetpools", {"subnetpool": {"name": "p", "prefixes": ["10.64.0.0/16"], "default_prefixlen": 24}}),
        ("POST", "/security-groups", {"security_group": {"name": "g"}}),
    ],
    "/compute/v2.1": [
        ("POST", "/flavors", {"flavor": {"name": "m1.nano", "id": "1", "ram": 64, "vcpus": 1, "disk": 1}}),
        ("POST", "/os-keypairs", {"keypair": {"name": "mine"}}),
    ],
}  # fmt: skip
WORDS: Final = {
    "config": ("identity", "ldap"), "identity": ("driver", "list_limit"), "ldap": ("url", "suffix"),
    "passwords": ("secret-of-member", "secret-of-reader", "secret-of-admin"),
    "metadefs": ("namespace", "objects", "tag"), "file": ("identity.json",),
    "schemas": ("image", "members", "task"), "inventories": ("VCPU", "MEMORY_MB", "CUSTOM_FPGA"),
    "os_quota_class_sets": ("default",), "metadata": ("a", "b"), "os_extra_specs": ("hw:x",),
}  # fmt: skip
"""Words that stand in paths and are in no answer."""


def server(cloud: Client, network_id: str) -> dict[str, str]:
    """A host, an image with bytes and a server that runs, by the words of paths."""
    mine = cloud.at("/compute/v2.1").as_admin()
    node = Node(mine)
    node.report(host=FACTS, started=True)
    image = made(cloud.at("/image/v2").as_admin(), name="tiny", visibility="public", disk_format="qcow2")
    fill(cloud, image["id"], 1_000_000)
    boot = Boot(mine, node, image["id"], network_id, "1")
    hypervisor = mine.get("/os-hypervisors").body["hypervisors"][0]
    return {"servers": boot(), "images": image["id"], "os_hypervisors": str(hypervisor["id"])}


def filled(value: Any, some: Callable[[str], str | None]) -> Any:
    """`{networks}` becomes the id of one."""
    if isinstance(value, dict):
        return {k: filled(v, some) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, some) for v in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}") and len(value) > 2:
        return some(value[1:-1]) or value
    return value
