"""What clients send and see of servers, each field with the microversion that brought it."""

from typing import Annotated, Any, Literal

from pilvi.compute.servers import policy
from pilvi.compute.servers.model import Server, host_id
from pilvi.kernel import clock, links
from pilvi.kernel.context import Context
from pilvi.kernel.wire import (
    OMIT,
    Beside,
    Body,
    Format,
    From,
    Items,
    Length,
    Lenient,
    Name,
    Pattern,
    Range,
    Schema,
    ShownTo,
    Since,
    Sometimes,
    Until,
    View,
)

Text = Annotated[str, Length(1, 255), Pattern(r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
MetaKey = Annotated[str, Length(1, 255), Pattern(r"^[a-zA-Z0-9-_:. ]{1,255}$")]
MetaValue = Annotated[str, Length(0, 255)]
Metadata = dict[MetaKey, MetaValue]
Tag = Annotated[str, Length(1, 60), Pattern(r"^[^,/]*$")]
METADATA_MOST = 1024
"""A bound for clouds without a quota for metadata; the quota is what users meet."""
AT_ONCE_MOST = 1000
"""Servers of one request: they are made in one transaction."""
TAGS_LIMIT = 50
Address4 = Annotated[str, Schema({"anyOf": [{"type": "string", "format": "ipv4"}, {"enum": [""]}]})]
Address6 = Annotated[str, Schema({"anyOf": [{"type": "string", "format": "ipv6"}, {"enum": [""]}]})]


class NetworkItem(Body):
    """One entry of `networks`."""

    uuid: Annotated[str | None, Format("uuid")] = None
    port: Annotated[str | None, Format("uuid")] = None
    fixed_ip: Annotated[str | None, Format("ip")] = None
    tag: Annotated[Tag | None, Length(1, 60), Pattern(r"^[^,/]*$"), Since("2.32")] = None


class GroupItem(Body):
    name: Text


class ServerCreate(Body, root="server"):
    name: Text
    flavorRef: Annotated[str, Schema({"type": ["string", "integer"], "minLength": 1})]
    imageRef: Annotated[str, Schema({"type": "string"})] = ""
    networks: Annotated[Any, Schema({
        "anyOf": [{"type": "array"}, {"enum": ["auto", "none"]}]
    })] = None  # fmt: skip
    adminPass: str | None = None
    accessIPv4: Address4 = ""
    accessIPv6: Address6 = ""
    availability_zone: Annotated[str | None, Length(1, 255)] = None
    config_drive: Annotated[bool, Lenient()] = False
    description: Annotated[str | None, Length(0, 255), Since("2.19")] = None
    key_name: Annotated[str | None, Length(1, 255)] = None
    metadata: Annotated[Metadata, Items(METADATA_MOST)] = {}
    min_count: Annotated[int, Lenient(), Range(1, AT_ONCE_MOST)] = 1
    max_count: Annotated[int | None, Lenient(), Range(1, AT_ONCE_MOST)] = None
    return_reservation_id: Annotated[bool, Lenient()] = False
    security_groups: list[GroupItem] | None = None
    tags: Annotated[list[Tag], Items(TAGS_LIMIT, unique=True), Since("2.52")] = []
    user_data: Annotated[str | None, Length(0, 65535)] = None
    disk_config: Annotated[Literal["AUTO", "MANUAL"], Name("OS-DCF:diskConfig")] = "MANUAL"
    block_device_mapping_v2: Annotated[list[dict[str, Any]], Items(32)] = []
    hints: Annotated[dict[str, Any], Beside(), Name("os:scheduler_hints")] = {}
    old_hints: Annotated[dict[str, Any], Beside(), Name("OS-SCH-HNT:scheduler_hints")] = {}


class ServerUpdate(Body, root="server"):
    name: Text = ""
    accessIPv4: Address4 = ""
    accessIPv6: Address6 = ""
    description: Annotated[str | None, Length(0, 255), Since("2.19")] = None
    disk_config: Annotated[Literal["AUTO", "MANUAL"], Name("OS-DCF:diskConfig")] = "MANUAL"


class Nothing(Body, extra=True):
    """An action without arguments: `{"os-stop": null}`. What else stands there has never mattered."""


class Reboot(Body, root="reboot"):
    type: Annotated[Literal["HARD", "Hard", "hard", "SOFT", "Soft", "soft"], Length(0, 8)]


class ResetState(Body, root="os-resetState"):
    state: Literal["active", "error"]


class CreateImage(Body, root="createImage"):
    name: Text
    metadata: Annotated[Metadata, Items(METADATA_MOST)] = {}


class ConsoleOutput(Body, root="os-getConsoleOutput"):
    length: Annotated[
        int | None, Schema({"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1})
    ] = None


class AddGroup(Body, root="addSecurityGroup"):
    name: Text


class RemoveGroup(Body, root="removeSecurityGroup"):
    name: Text


# ---- views ---------------------------------------------------------------------------------------------------------


def _links(server: Server, ctx: Context) -> list[dict[str, str]]:
    return links.resource(ctx, "v2.1", f"/servers/{server.id}")


def _image(server: Server, ctx: Context) -> Any:
    if not server.image_id:
        return ""
    return {"id": server.image_id, "links": links.bookmark(ctx, f"/images/{server.image_id}")}


def _flavor_link(server: Server, ctx: Context) -> dict[str, Any]:
    id = server.flavor["id"]
    return {"id": id, "links": links.bookmark(ctx, f"/flavors/{id}")}


def _flavor(server: Server) -> dict[str, Any]:
    flavor = server.flavor
    return {
        "vcpus": flavor["vcpus"], "ram": flavor["ram"], "disk": flavor["disk"], "ephemeral": flavor["ephemeral"],
        "swap": flavor["swap"], "original_name": flavor["name"], "extra_specs": flavor["extra_specs"],
    }  # fmt: skip


def addresses(server: Server) -> dict[str, list[dict[str, Any]]]:
    """Addresses by network name, fixed ones first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for nic in server.nics:
        entries = found.setdefault(nic.network_name, [])
        for fixed in nic.fixed_ips:
            entries.append(_address(fixed.ip, fixed.version, nic.mac, "fixed"))
        for floating in nic.floating_ips:
            entries.append(_address(floating, 6 if ":" in floating else 4, nic.mac, "floating"))
    return found


def _address(ip: str, version: int, mac: str, kind: str) -> dict[str, Any]:
    return {"version": version, "addr": ip, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": mac}


def _groups(server: Server) -> Any:
    names = dict.fromkeys(name for nic in server.nics for name in nic.security_groups)
    return [{"name": name} for name in names] or OMIT


def _fault(server: Server, ctx: Context) -> Any:
    """Details name hosts: they are for administrators only."""
    fault = server.fault
    if server.status != "ERROR" or not fault:
        return OMIT
    shown = {"code": fault["code"], "created": clock.seconds(fault["created"]), "message": fault["message"]}
    return shown | ({"details": fault["details"]} if fault.get("details") and ctx.is_admin else {})


def _progress(server: Server) -> Any:
    return 0 if server.status in ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING") else OMIT


def _host_status(server: Server) -> str:
    return "UP" if server.host else ""


ADMIN = ShownTo(policy.ATTRIBUTES)


class ServerBrief(View, root="server", plural="servers", links="servers_links"):
    id: str
    name: str
    own_links: Annotated[Any, Name("links"), From(_links)]


class ServerView(View, root="server", plural="servers", links="servers_links"):
    id: str
    name: str
    status: str
    tenant_id: Annotated[str, From(lambda s: s.project_id)]
    user_id: str
    metadata: dict[str, str]
    host_id: Annotated[str, Name("hostId"), From(lambda s: host_id(s.project_id, s.host))]
    image: Annotated[Any, From(_image)]
    flavor_link: Annotated[Any, Name("flavor"), From(_flavor_link), Until("2.46")]
    flavor: Annotated[Any, From(_flavor), Since("2.47")]
    created: Annotated[str, From(lambda s: clock.seconds(s.created_at))]
    updated: Annotated[str, From(lambda s: clock.seconds(s.updated_at))]
    addresses: Annotated[Any, From(addresses)]
    accessIPv4: Annotated[str, From(lambda s: s.access_ip_v4)]
    accessIPv6: Annotated[str, From(lambda s: s.access_ip_v6)]
    own_links: Annotated[Any, Name("links"), From(_links)]
    disk_config: Annotated[str, Name("OS-DCF:diskConfig")]
    progress: Annotated[int, Sometimes(), From(_progress)]
    availability_zone: Annotated[
        str, Name("OS-EXT-AZ:availability_zone"), From(lambda s: s.availability_zone if s.host else "")
    ]
    config_drive: Annotated[str, From(lambda s: "True" if s.config_drive else "")]
    key_name: str | None
    launched_at: Annotated[
        str | None, Name("OS-SRV-USG:launched_at"), From(lambda s: s.launched_at and s.launched_at[:-1])
    ]
    terminated_at: Annotated[None, Name("OS-SRV-USG:terminated_at"), From(lambda s: None)]
    security_groups: Annotated[Any, Sometimes(), From(_groups)]
    task_state: Annotated[str | None, Name("OS-EXT-STS:task_state")]
    vm_state: Annotated[str, Name("OS-EXT-STS:vm_state")]
    power_state: Annotated[int, Name("OS-EXT-STS:power_state")]
    volumes: Annotated[list[Any], Name("os-extended-volumes:volumes_attached"), From(lambda s: [])]
    fault: Annotated[Any, Sometimes(), From(_fault)]
    host: Annotated[str | None, Name("OS-EXT-SRV-ATTR:host"), ADMIN]
    instance_name: Annotated[str, Name("OS-EXT-SRV-ATTR:instance_name"), From(lambda s: f"pilvi-{s.id}"), ADMIN]
    hypervisor: Annotated[str | None, Name("OS-EXT-SRV-ATTR:hypervisor_hostname"), From(lambda s: s.host), ADMIN]
    reservation_id: Annotated[str, Name("OS-EXT-SRV-ATTR:reservation_id"), ADMIN, Since("2.3")]
    launch_index: Annotated[int, Name("OS-EXT-SRV-ATTR:launch_index"), ADMIN, Since("2.3")]
    hostname: Annotated[str, Name("OS-EXT-SRV-ATTR:hostname"), ADMIN, Since("2.3")]
    kernel_id: Annotated[str, Name("OS-EXT-SRV-ATTR:kernel_id"), From(lambda s: ""), ADMIN, Since("2.3")]
    ramdisk_id: Annotated[str, Name("OS-EXT-SRV-ATTR:ramdisk_id"), From(lambda s: ""), ADMIN, Since("2.3")]
    root_device: Annotated[
        str, Name("OS-EXT-SRV-ATTR:root_device_name"), From(lambda s: "/dev/vda"), ADMIN, Since("2.3")
    ]
    user_data: Annotated[str | None, Name("OS-EXT-SRV-ATTR:user_data"), ADMIN, Since("2.3")]
    locked: Annotated[bool, From(lambda s: s.locked_by is not None), Since("2.9")]
    host_status: Annotated[str, From(_host_status), ShownTo(policy.HOST_STATUS), Since("2.16")]
    description: Annotated[str | None, Since("2.19")]
    tags: Annotated[list[str], Since("2.26")]


class ServerCreated(View, root="server"):
    id: str
    own_links: Annotated[Any, Name("links"), From(_links)]
    disk_config: Annotated[str, Name("OS-DCF:diskConfig")]
    adminPass: Annotated[str, From(lambda s: s.admin_password)]


class ServerUpdated(View, root="server"):
    """The answer to an update: what a show had before later versions added to it."""

    id: str
    name: str
    status: str
    tenant_id: Annotated[str, From(lambda s: s.project_id)]
    user_id: str
    metadata: dict[str, str]
    host_id: Annotated[str, Name("hostId"), From(lambda s: host_id(s.project_id, s.host))]
    image: Annotated[Any, From(_image)]
    flavor_link: Annotated[Any, Name("flavor"), From(_flavor_link), Until("2.46")]
    flavor: Annotated[Any, From(_flavor), Since("2.47")]
    created: Annotated[str, From(lambda s: clock.seconds(s.created_at))]
    updated: Annotated[str, From(lambda s: clock.seconds(s.updated_at))]
    addresses: Annotated[Any, From(addresses)]
    accessIPv4: Annotated[str, From(lambda s: s.access_ip_v4)]
    accessIPv6: Annotated[str, From(lambda s: s.access_ip_v6)]
    own_links: Annotated[Any, Name("links"), From(_links)]
    disk_config: Annotated[str, Name("OS-DCF:diskConfig")]
    progress: Annotated[int, Sometimes(), From(_progress)]
    fault: Annotated[Any, Sometimes(), From(_fault)]
    locked: Annotated[bool, From(lambda s: s.locked_by is not None), Since("2.9")]
    description: Annotated[str | None, Since("2.19")]
    tags: Annotated[list[str], Since("2.26")]
