"""What operators and tenants write beside servers and networks: a table of requests, so that nothing is forgotten.

`{kind}` in a path or a text of a body is the name of a thing of that kind that the workload made, `{any:kind}` one that
may have been there from the start, `{new}` a name that nothing has, `{uuid}` a new id, `{me}` and `{mine}` the asking
user and project, `{other}` another project. `MAKES` makes things; `CHANGES` changes one that there is.
"""

from typing import Any, NamedTuple

from tests.sim.paths import COMPUTE, IDENTITY, IMAGE, NETWORK, PLACEMENT

ADMIN, TENANT, MAKER = "admin", "tenant", "maker"
"""Who asks: the operator, one of the tenants, whoever made the thing."""


class Wish(NamedTuple):
    method: str
    path: str
    body: Any = None
    who: str = ADMIN
    headers: tuple[tuple[str, str], ...] = ()


def _grants() -> list[Wish]:
    """Every way to give somebody a role somewhere."""
    found = []
    for actor in ("users", "groups"):
        tail = f"/{actor}/{{{actor}}}/roles/{{any:roles}}"
        found += [Wish("PUT", f"{IDENTITY}/{place}/{{{place}}}{tail}") for place in ("projects", "domains")]
        found += [
            Wish("PUT", f"{IDENTITY}/OS-INHERIT/{place}/{{{place}}}{tail}/inherited_to_projects")
            for place in ("projects", "domains")
        ]
        found.append(Wish("PUT", f"{IDENTITY}/system{tail}"))
    return found


ENDPOINT_POLICY = f"{IDENTITY}/policies/{{policies}}/OS-ENDPOINT-POLICY"
IDENTITY_MAKES = [
    Wish("POST", f"{IDENTITY}/projects", {"project": {"name": "{new}", "domain_id": "default", "tags": ["blue"]}}),
    Wish("POST", f"{IDENTITY}/projects", {"project": {"name": "{new}", "parent_id": "{projects}"}}),
    Wish("PUT", f"{IDENTITY}/projects/{{projects}}/tags", {"tags": ["red", "green"]}),
    Wish("PUT", f"{IDENTITY}/projects/{{projects}}/tags/blue"),
    Wish("POST", f"{IDENTITY}/domains", {"domain": {"name": "{new}"}}),
    Wish("POST", f"{IDENTITY}/users", {"user": {"name": "{new}", "password": "secret", "domain_id": "default"}}),
    Wish("POST", f"{IDENTITY}/users", {"user": {"name": "{new}", "default_project_id": "{projects}"}}),
    Wish("POST", f"{IDENTITY}/groups", {"group": {"name": "{new}", "domain_id": "default"}}),
    Wish("PUT", f"{IDENTITY}/groups/{{groups}}/users/{{users}}"),
    Wish("POST", f"{IDENTITY}/roles", {"role": {"name": "{new}"}}),
    Wish("PUT", f"{IDENTITY}/roles/{{roles}}/implies/{{any:roles}}"),
    *_grants(), *_grants(),
    Wish("POST", f"{IDENTITY}/services", {"service": {"name": "{new}", "type": "{new}"}}),
    Wish("POST", f"{IDENTITY}/endpoints", {"endpoint": {
        "interface": "public", "service_id": "{services}", "url": "http://127.0.0.1:1/x",
        "region_id": "{any:regions}"}}),
    Wish("POST", f"{IDENTITY}/regions", {"region": {"id": "{new}", "description": "far"}}),
    Wish("PUT", f"{IDENTITY}/regions/{{new}}", {"region": {"description": "near"}}),
    Wish("POST", f"{IDENTITY}/credentials", {"credential": {"type": "cert", "blob": "{new}", "user_id": "{users}"}}),
    Wish("POST", f"{IDENTITY}/policies", {"policy": {"type": "text", "blob": "{new}"}}),
    Wish("POST", f"{IDENTITY}/registered_limits", {"registered_limits": [
        {"service_id": "{any:services}", "resource_name": "{new}", "default_limit": 5}]}),
    Wish("PUT", f"{IDENTITY}/OS-FEDERATION/mappings/{{new}}", {"mapping": {"rules": [
        {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]}}),
    Wish("PUT", f"{IDENTITY}/OS-FEDERATION/identity_providers/{{new}}", {"identity_provider": {"enabled": True}}),
    Wish("PUT", f"{IDENTITY}/OS-FEDERATION/identity_providers/{{identity_providers}}/protocols/{{new}}",
         {"protocol": {"mapping_id": "{mappings}"}}),
    Wish("PUT", f"{IDENTITY}/OS-FEDERATION/service_providers/{{new}}", {"service_provider": {
        "auth_url": "https://sp.example/auth", "sp_url": "https://sp.example/sp"}}),
    Wish("POST", f"{IDENTITY}/OS-EP-FILTER/endpoint_groups", {
        "endpoint_group": {"name": "{new}", "filters": {"interface": "public"}}}),
    Wish("PUT", f"{IDENTITY}/OS-EP-FILTER/endpoint_groups/{{endpoint_groups}}/projects/{{identity:projects}}"),
    Wish("PUT", f"{IDENTITY}/OS-EP-FILTER/projects/{{identity:projects}}/endpoints/{{any:endpoints}}"),
    Wish("PUT", f"{IDENTITY}/domains/{{domains}}/config", {"config": {
        "identity": {"list_limit": 10}, "ldap": {"url": "ldap://127.0.0.1:1"}}}),
    Wish("POST", f"{IDENTITY}/OS-OAUTH1/consumers", {"consumer": {"description": "{new}"}}),
    Wish("PUT", f"{ENDPOINT_POLICY}/endpoints/{{any:endpoints}}"),
    Wish("PUT", f"{ENDPOINT_POLICY}/services/{{any:services}}"),
    Wish("PUT", f"{ENDPOINT_POLICY}/services/{{any:services}}/regions/{{any:regions}}"),
    Wish("POST", f"{IDENTITY}/users/{{me}}/application_credentials", {"application_credential": {
        "name": "{new}", "unrestricted": True,
        "access_rules": [{"service": "compute", "method": "GET", "path": "/v2.1/{new}"}]}}, TENANT),
    Wish("POST", f"{IDENTITY}/users/{{me}}/credentials/OS-EC2", {"tenant_id": "{mine}"}, TENANT),
    Wish("POST", f"{IDENTITY}/OS-TRUST/trusts", {"trust": {
        "trustor_user_id": "{me}", "trustee_user_id": "{any:users}", "impersonation": False, "project_id": "{mine}",
        "roles": [{"name": "member"}]}}, TENANT),
    Wish("POST", f"{IDENTITY}/OS-TRUST/trusts", {"trust": {
        "trustor_user_id": "{me}", "trustee_user_id": "{any:users}", "impersonation": True, "project_id": "{mine}",
        "roles": [{"name": "member"}]}}, TENANT),
]  # fmt: skip
IDENTITY_CHANGES = [
    Wish("PATCH", f"{IDENTITY}/projects/{{id}}", {"project": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/domains/{{id}}", {"domain": {"enabled": False}}),
    Wish("PATCH", f"{IDENTITY}/users/{{id}}", {"user": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/groups/{{id}}", {"group": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/roles/{{id}}", {"role": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/services/{{id}}", {"service": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/endpoints/{{id}}", {"endpoint": {"interface": "internal"}}),
    Wish("PATCH", f"{IDENTITY}/regions/{{id}}", {"region": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/credentials/{{id}}", {"credential": {"blob": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/policies/{{id}}", {"policy": {"blob": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/OS-EP-FILTER/endpoint_groups/{{id}}", {"endpoint_group": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/domains/{{id}}/config", {"config": {"identity": {"list_limit": 20}}}),
    Wish("PATCH", f"{IDENTITY}/domains/{{id}}/config/identity", {"config": {"identity": {"list_limit": 30}}}),
    Wish("PATCH", f"{IDENTITY}/domains/{{id}}/config/identity/list_limit", {"config": {"list_limit": 40}}),
    Wish("PATCH", f"{IDENTITY}/OS-OAUTH1/consumers/{{id}}", {"consumer": {"description": "{new}"}}),
    Wish("PATCH", f"{IDENTITY}/OS-FEDERATION/identity_providers/{{id}}", {"identity_provider": {"enabled": False}}),
    Wish("PATCH", f"{IDENTITY}/OS-FEDERATION/identity_providers/{{idp_id}}/protocols/{{id}}",
         {"protocol": {"mapping_id": "{mappings}"}}),
    Wish("PATCH", f"{IDENTITY}/OS-FEDERATION/mappings/{{id}}", {"mapping": {"rules": [
        {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OTHER_USER"}]}]}}),
    Wish("PATCH", f"{IDENTITY}/OS-FEDERATION/service_providers/{{id}}", {"service_provider": {"enabled": True}}),
    Wish("PATCH", f"{IDENTITY}/registered_limits/{{id}}", {"registered_limit": {"default_limit": 7}}),
    Wish("PATCH", f"{IDENTITY}/limits/{{id}}", {"limit": {"resource_limit": 6}}),
]  # fmt: skip

METADEFS = f"{IMAGE}/metadefs/namespaces"
IMAGE_MAKES = [
    Wish("POST", METADEFS, {"namespace": "{new}", "visibility": "public"}),
    Wish("POST", METADEFS, {"namespace": "{new}"}),
    Wish("POST", f"{METADEFS}/{{namespaces}}/objects", {"name": "{new}"}),
    Wish("POST", f"{METADEFS}/{{namespaces}}/properties", {"name": "{new}", "title": "Size", "type": "integer"}),
    Wish("POST", f"{METADEFS}/{{namespaces}}/tags/{{new}}", {}),
    Wish("POST", f"{METADEFS}/{{namespaces}}/tags", {"tags": [{"name": "{new}"}, {"name": "{new}"}]}),
    Wish("POST", f"{METADEFS}/{{namespaces}}/resource_types", {"name": "OS::Glance::Image"}),
    Wish("PUT", f"{IMAGE}/images/{{image:images}}/tags/{{new}}"),
    Wish("PUT", f"{IMAGE}/cache/{{any:images}}"),
    Wish("POST", f"{IMAGE}/cache/prune"), Wish("POST", f"{IMAGE}/cache/clean"),
    Wish("POST", f"{IMAGE}/tasks", {"type": "import", "input": {
        "import_from": "http://web.example/{new}", "import_from_format": "raw",
        "image_properties": {"name": "{new}"}}}),
]  # fmt: skip
IMAGE_CHANGES = [
    Wish("PUT", f"{METADEFS}/{{namespace}}", {"namespace": "{last}", "display_name": "{new}", "visibility": "public"}),
    Wish("PUT", f"{METADEFS}/{{namespace}}/objects/{{name}}", {"name": "{last}", "description": "{new}"}),
    Wish("PUT", f"{METADEFS}/{{namespace}}/properties/{{name}}",
         {"name": "{last}", "title": "Other", "type": "string"}),
    Wish("PUT", f"{METADEFS}/{{namespace}}/tags/{{name}}", {"name": "{new}"}),
    Wish("POST", f"{IMAGE}/images/{{id}}/actions/deactivate"),
    Wish("POST", f"{IMAGE}/images/{{id}}/actions/reactivate"),
]  # fmt: skip

TAGGED = ("networks", "subnets", "ports", "routers", "floatingips", "security-groups", "security-group-rules",
          "subnetpools", "address-scopes")  # fmt: skip


def _tags() -> list[Wish]:
    found = []
    for kind in TAGGED:
        place = f"{NETWORK}/{kind}/{{any:{kind}}}/tags"
        found += [Wish("PUT", f"{place}/blue"), Wish("PUT", place, {"tags": ["blue", "green"]}),
                  Wish("POST", place, {"tags": ["red"]})]  # fmt: skip
    return found


NETWORK_MAKES = [
    *_tags(),
    Wish("POST", f"{NETWORK}/address-scopes", {"address_scope": {"name": "{new}", "ip_version": 4}}, TENANT),
    Wish("POST", f"{NETWORK}/subnetpools", {"subnetpool": {
        "name": "{new}", "prefixes": ["10.200.0.0/16"], "default_prefixlen": 26}}, TENANT),
    Wish("POST", f"{NETWORK}/rbac-policies", {"rbac_policy": {
        "object_type": "network", "object_id": "{networks}", "target_tenant": "{other}",
        "action": "access_as_shared"}}),
    Wish("PUT", f"{NETWORK}/quotas/{{identity:projects}}", {"quota": {"port": 7}}),
]  # fmt: skip
NETWORK_CHANGES = [
    Wish("PUT", f"{NETWORK}/address-scopes/{{id}}", {"address_scope": {"name": "{new}"}}, MAKER),
    Wish("PUT", f"{NETWORK}/subnetpools/{{id}}", {"subnetpool": {"description": "{new}"}}, MAKER),
    Wish("PUT", f"{NETWORK}/rbac-policies/{{id}}", {"rbac_policy": {"target_tenant": "{other}"}}),
    Wish("PUT", f"{NETWORK}/routers/{{id}}/add_extraroutes",
         {"router": {"routes": [{"destination": "10.250.0.0/24", "nexthop": "203.0.113.1"}]}}),
    Wish("PUT", f"{NETWORK}/routers/{{id}}/remove_extraroutes",
         {"router": {"routes": [{"destination": "10.250.0.0/24", "nexthop": "203.0.113.1"}]}}),
    Wish("PUT", f"{NETWORK}/security-groups/{{id}}", {"security_group": {"description": "{new}"}}, MAKER),
]  # fmt: skip

COMPUTE_MAKES = [
    Wish("POST", f"{COMPUTE}/flavors", {"flavor": {
        "name": "{new}", "id": "{new}", "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}}),
    Wish("POST", f"{COMPUTE}/flavors/{{flavors}}/os-extra_specs", {"extra_specs": {"hw:blue": "1"}}),
    Wish("POST", f"{COMPUTE}/flavors/{{flavors}}/os-extra_specs", {"extra_specs": {"hw:green": "1"}}),
    Wish("POST", f"{COMPUTE}/flavors/{{flavors}}/action", {"addTenantAccess": {"tenant": "{mine}"}}),
    Wish("POST", f"{COMPUTE}/flavors/{{flavors}}/action", {"removeTenantAccess": {"tenant": "{mine}"}}),
    Wish("PUT", f"{COMPUTE}/os-quota-sets/{{identity:projects}}", {"quota_set": {"instances": 3}}),
    Wish("PUT", f"{COMPUTE}/os-quota-class-sets/default", {"quota_class_set": {"key_pairs": 90}}),
    Wish("PUT", f"{COMPUTE}/servers/{{servers}}/tags", {"tags": ["blue", "green"]}),
    Wish("PUT", f"{COMPUTE}/servers/{{servers}}/tags/red"),
    Wish("PUT", f"{COMPUTE}/servers/{{servers}}/metadata/blue", {"meta": {"blue": "{new}"}}),
    Wish("POST", f"{COMPUTE}/servers/{{servers}}/metadata", {"metadata": {"green": "{new}"}}),
    Wish("PUT", f"{COMPUTE}/servers/{{servers}}/metadata", {"metadata": {"red": "{new}", "blue": "1"}}),
]  # fmt: skip
COMPUTE_CHANGES = [
    Wish("PUT", f"{COMPUTE}/flavors/{{id}}", {"flavor": {"description": "{new}"}}),
    Wish("PUT", f"{COMPUTE}/flavors/{{id}}/os-extra_specs/hw:blue", {"hw:blue": "2"}),
]

PLACEMENT_MAKES = [
    Wish("POST", f"{PLACEMENT}/resource_providers", {"name": "{new}", "uuid": "{uuid}"}),
    Wish("PUT", f"{PLACEMENT}/traits/CUSTOM_{{NEW}}"),
    Wish("POST", f"{PLACEMENT}/resource_classes", {"name": "CUSTOM_{NEW}"}),
    Wish("PUT", f"{PLACEMENT}/resource_classes/CUSTOM_{{NEW}}"),
]
PLACEMENT_CHANGES = [
    Wish("PUT", f"{PLACEMENT}/resource_providers/{{uuid}}", {"name": "{new}"}),
    Wish("PUT", f"{PLACEMENT}/resource_classes/{{name}}", {"name": "CUSTOM_{NEW}"},
         headers=(("OpenStack-API-Version", "placement 1.6"),)),
]  # fmt: skip

MAKES = [*IDENTITY_MAKES, *IMAGE_MAKES, *NETWORK_MAKES, *COMPUTE_MAKES, *PLACEMENT_MAKES]
CHANGES = [*IDENTITY_CHANGES, *IMAGE_CHANGES, *NETWORK_CHANGES, *COMPUTE_CHANGES, *PLACEMENT_CHANGES]

QUERIES = {
    f"{PLACEMENT}/allocation_candidates": "resources=VCPU:1",
    f"{PLACEMENT}/usages": "project_id={any:identity:projects}",
}
"""What has to be asked for in the query."""
WORDS = {
    f"{IDENTITY}/domains/config/{{group}}/default": ("identity",),
    f"{IDENTITY}/domains/config/{{group}}/{{option}}/default": ("identity", "driver"),
    f"{IMAGE}/schemas/{{name}}": ("image",), f"{IMAGE}/schemas/metadefs/{{name}}": ("namespace",),
    f"{COMPUTE}/os-quota-class-sets/{{name}}": ("default",), f"{NETWORK}/extensions/{{alias}}": ("agent",),
    f"{COMPUTE}/os-hypervisors/{{pattern}}/search": ("host",), "/openapi/{file}": ("identity.json",),
    f"{COMPUTE}/os-hypervisors/{{pattern}}/servers": ("host",),
}  # fmt: skip
"""What stands in paths and is in no answer."""
