"""Ports on the wire."""

from typing import Annotated, Any, Literal

from pilvi.kernel.wire import Body, From, Items, Length, Lenient, Name, ShownTo, View
from pilvi.network import settings
from pilvi.network.ports.model import Port
from pilvi.network.ports.policy import BINDING
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, Truth, UpdatedAt, Uuid

Device = Annotated[str, Length(0, 255)]


class PortUpdate(Body, root="port"):
    name: Text = ""
    description: Text = ""
    admin_state_up: Truth = True
    mac_address: str | None = None
    fixed_ips: Annotated[list[dict[str, Any]] | None, Items(64)] = None
    device_id: Device | None = ""
    device_owner: Device | None = ""
    security_groups: Annotated[list[Uuid] | None, Items(50)] = None
    port_security_enabled: Annotated[bool | None, Lenient()] = None
    allowed_address_pairs: Annotated[list[dict[str, str]] | None, Items(50)] = None
    extra_dhcp_opts: Annotated[list[dict[str, Any]] | None, Items(50)] = None
    dns_name: Text = ""
    dns_domain: Text = ""
    host: Annotated[str | None, Name("binding:host_id"), Length(0, 255)] = ""
    vnic_type: Annotated[Literal["normal"], Name("binding:vnic_type")] = "normal"
    profile: Annotated[dict[str, Any] | None, Name("binding:profile"), Items(50)] = None


class PortCreate(PortUpdate, root="port", plural="ports"):
    network_id: Uuid
    tags: Annotated[list[Annotated[str, Length(1, 255)]], Items(50)] = []
    project_id: Project = None
    tenant_id: Project = None


def _vif_type(o: Port) -> str:
    return "tap" if o.host else "unbound"


def _vif_details(o: Port) -> dict[str, Any]:
    return {"port_filter": True, "connectivity": "l2"} if o.host else {}


def _dns_assignment(o: Port) -> list[dict[str, str]]:
    domain = (o.dns_domain or settings.current.dns_domain).rstrip(".")
    found = []
    for fixed in o.fixed_ips:
        ip = fixed["ip_address"]
        hostname = o.dns_name or "host-" + ip.replace(".", "-").replace(":", "-")
        found.append({"ip_address": ip, "hostname": hostname, "fqdn": f"{hostname}.{domain}."})
    return found


def _allocation(o: Port) -> str:
    return "immediate"


class PortView(View, root="port", plural="ports"):
    id: str
    name: str
    project_id: str
    tenant_id: TenantId
    network_id: str
    mac: Annotated[str, Name("mac_address")]
    admin_state_up: bool
    status: str
    device_id: str
    device_owner: str
    fixed_ips: list[dict[str, str]]
    security_groups: list[str]
    port_security_enabled: bool
    allowed_address_pairs: list[dict[str, str]]
    extra_dhcp_opts: list[dict[str, Any]]
    dns_name: str
    dns_domain: str
    dns_assignment: Annotated[list[dict[str, str]], From(_dns_assignment)]
    ip_allocation: Annotated[str, From(_allocation)]
    vnic_type: Annotated[str, Name("binding:vnic_type")]
    host: Annotated[str, Name("binding:host_id"), ShownTo(BINDING)]
    profile: Annotated[dict[str, Any], Name("binding:profile"), ShownTo(BINDING)]
    vif_type: Annotated[str, Name("binding:vif_type"), ShownTo(BINDING), From(_vif_type)]
    vif_details: Annotated[dict[str, Any], Name("binding:vif_details"), ShownTo(BINDING), From(_vif_details)]
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
