"""Floating IPs on the wire."""

from typing import Annotated, Any

from pilvi.kernel.wire import Body, From, View
from pilvi.network.floating_ips.model import FloatingIp
from pilvi.network.standard.wire import CreatedAt, Project, Revision, Tags, TenantId, Text, UpdatedAt, Uuid


class FloatingIpUpdate(Body, root="floatingip"):
    port_id: Uuid | None = None
    fixed_ip_address: str | None = None
    description: Text = ""


class FloatingIpCreate(FloatingIpUpdate, root="floatingip", plural="floatingips"):
    floating_network_id: Uuid
    floating_ip_address: str | None = None
    subnet_id: Uuid | None = None
    dns_name: Text = ""
    dns_domain: Text = ""
    project_id: Project = None
    tenant_id: Project = None


def _details(o: FloatingIp) -> dict[str, Any] | None:
    port = o.port
    if port is None:
        return None
    return {
        "name": port.name, "network_id": port.network_id, "mac_address": port.mac, "status": port.status,
        "admin_state_up": port.admin_state_up, "device_id": port.device_id, "device_owner": port.device_owner,
    }  # fmt: skip


class FloatingIpView(View, root="floatingip", plural="floatingips"):
    id: str
    project_id: str
    tenant_id: TenantId
    floating_network_id: str
    floating_ip_address: str
    port_id: str | None
    fixed_ip_address: str | None
    router_id: str | None
    status: str
    port_details: Annotated[Any, From(_details)]
    dns_name: str
    dns_domain: str
    description: str
    tags: Tags
    created_at: CreatedAt
    updated_at: UpdatedAt
    revision_number: Revision
