"""/servers and the table of actions."""

from typing import Any

from pilvi.compute.servers import policy, service
from pilvi.compute.servers.model import Server
from pilvi.compute.servers.service.creation import Wish
from pilvi.compute.servers.wire import (
    AddGroup,
    ConsoleOutput,
    CreateImage,
    NetworkItem,
    Nothing,
    Reboot,
    RemoveGroup,
    ResetState,
    ServerBrief,
    ServerCreate,
    ServerCreated,
    ServerUpdate,
    ServerUpdated,
    ServerView,
)
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.network.facade import NicRequest

routes = Routes("compute", "/servers")
ACTION = "/{server_id}/action"


@routes.get(rule=policy.LIST, view=ServerBrief)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Server]:
    return service.list_(ctx, tx, query, details=False)


@routes.get("/detail", rule=policy.DETAIL, view=ServerView)
def detail(ctx: Context, tx: Tx, query: Query) -> Page[Server]:
    return service.list_(ctx, tx, query, details=True)


@routes.get("/{server_id}", rule=policy.SHOW, view=ServerView)
def show(ctx: Context, tx: Tx, server_id: str) -> Server:
    return service.show(ctx, tx, server_id)


@routes.post(rule=policy.CREATE, body=ServerCreate, status=202)
def create(ctx: Context, tx: Tx, body: ServerCreate) -> Answer:
    made = service.create(ctx, tx, wish_of(ctx, body))
    if body.return_reservation_id:
        return Answer(202, {"reservation_id": made[0].reservation_id})
    shown = ServerCreated.renderer(ctx)(made[0], ctx)
    shown["security_groups"] = [{"name": name} for name in _groups(body)]
    return Answer(202, {"server": shown}, {"Location": shown["links"][0]["href"]})


def _groups(body: ServerCreate) -> list[str]:
    return [g.name for g in body.security_groups] if body.security_groups else ["default"]


def wish_of(ctx: Context, body: ServerCreate) -> Wish:
    """The request without what the wire's history put into it."""
    if body.hints or body.old_hints:
        named = ", ".join([*body.hints, *body.old_hints])
        raise BadRequest(f"Scheduler hints are not known in this cloud: {named}. Leave them out.")
    return Wish(
        name=body.name.strip(), flavor_id=str(body.flavorRef).rpartition("/")[2],
        image_id=_image_of(body), networks=_networks(ctx, body), description=_description(ctx, body),
        admin_password=body.adminPass, access_ip_v4=body.accessIPv4, access_ip_v6=body.accessIPv6,
        availability_zone=body.availability_zone, config_drive=body.config_drive, key_name=body.key_name,
        metadata=body.metadata, tags=body.tags, min_count=body.min_count,
        max_count=body.max_count if body.max_count is not None else body.min_count,
        security_groups=list(dict.fromkeys(_groups(body))), user_data=body.user_data, disk_config=body.disk_config,
    )  # fmt: skip


def _description(ctx: Context, body: ServerCreate) -> str | None:
    return body.description if ctx.version >= 19 else body.name.strip()


def _image_of(body: ServerCreate) -> str:
    """The image to boot from: named directly, or as the one local disk of a block device mapping."""
    image_id = body.imageRef.rpartition("/")[2]
    for mapping in body.block_device_mapping_v2:
        local = mapping.get("source_type") == "image" and mapping.get("destination_type", "local") == "local"
        if not local or str(mapping.get("boot_index")) != "0" or len(body.block_device_mapping_v2) > 1:
            raise BadRequest("This cloud has no block storage yet: boot from an image on the local disk.")
        image_id = image_id or str(mapping.get("uuid"))
    return image_id


def _networks(ctx: Context, body: ServerCreate) -> list[NicRequest] | None:
    asked = body.networks
    if ctx.version >= 37:
        if asked is None:
            raise BadRequest("Invalid input for field/attribute server. 'networks' is a required property")
        if isinstance(asked, str):
            return None if asked == "auto" else []
    elif isinstance(asked, str):
        raise BadRequest(f"Invalid input for field/attribute networks. {asked!r} needs microversion 2.37.")
    if not asked:
        return None
    items = [NetworkItem.parse(item, ctx.version) for item in asked]
    if any(item.uuid is None and item.port is None for item in items):
        raise BadRequest("Each entry of networks must name a network (uuid) or a port.")
    return [NicRequest(item.uuid, item.port, item.fixed_ip, item.tag) for item in items]


@routes.put("/{server_id}", rule=policy.UPDATE, body=ServerUpdate, view=ServerUpdated)
def update(ctx: Context, tx: Tx, server_id: str, body: ServerUpdate) -> Server:
    names = {"accessIPv4": "access_ip_v4", "accessIPv6": "access_ip_v6"}
    sent = {names.get(name, name): value for name, value in body.sent().items()}
    return service.update(ctx, tx, server_id, sent)


@routes.delete("/{server_id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, server_id: str) -> None:
    service.delete(ctx, tx, server_id)


@routes.action(ACTION, "forceDelete", rule=policy.FORCE_DELETE, raw=True)
def force_delete(ctx: Context, tx: Tx, server_id: str, body: Any) -> None:
    service.delete(ctx, tx, server_id, policy.FORCE_DELETE)


@routes.action(ACTION, "restore", rule=policy.RESTORE, raw=True)
def restore(ctx: Context, tx: Tx, server_id: str, body: Any) -> None:
    service.restore(ctx, tx, server_id)


@routes.action(ACTION, "os-start", rule=policy.START, body=Nothing)
def start(ctx: Context, tx: Tx, server_id: str) -> None:
    service.start(ctx, tx, server_id)


@routes.action(ACTION, "os-stop", rule=policy.STOP, body=Nothing)
def stop(ctx: Context, tx: Tx, server_id: str) -> None:
    service.stop(ctx, tx, server_id)


@routes.action(ACTION, "reboot", rule=policy.REBOOT, body=Reboot)
def reboot(ctx: Context, tx: Tx, server_id: str, body: Reboot) -> None:
    service.reboot(ctx, tx, server_id, hard=body.type.upper() == "HARD")


@routes.action(ACTION, "pause", rule=policy.PAUSE, body=Nothing)
def pause(ctx: Context, tx: Tx, server_id: str) -> None:
    service.pause(ctx, tx, server_id)


@routes.action(ACTION, "unpause", rule=policy.UNPAUSE, body=Nothing)
def unpause(ctx: Context, tx: Tx, server_id: str) -> None:
    service.unpause(ctx, tx, server_id)


@routes.action(ACTION, "lock", rule=policy.LOCK, raw=True)
def lock(ctx: Context, tx: Tx, server_id: str, body: Any) -> None:
    service.lock(ctx, tx, server_id)


@routes.action(ACTION, "unlock", rule=policy.UNLOCK, raw=True)
def unlock(ctx: Context, tx: Tx, server_id: str, body: Any) -> None:
    service.unlock(ctx, tx, server_id)


@routes.action(ACTION, "createImage", rule=policy.CREATE_IMAGE, body=CreateImage)
def create_image(ctx: Context, tx: Tx, server_id: str, body: CreateImage) -> Answer:
    image_id = service.create_image(ctx, tx, server_id, body.name, body.metadata)
    if ctx.version >= 45:
        return Answer(202, {"image_id": image_id})
    return Answer(202, None, {"Location": f"{ctx.cloud_url}/image/v2/images/{image_id}"})


@routes.action(ACTION, "os-resetState", rule=policy.RESET_STATE, body=ResetState)
def reset_state(ctx: Context, tx: Tx, server_id: str, body: ResetState) -> None:
    service.reset_state(ctx, tx, server_id, body.state)


@routes.action(ACTION, "addSecurityGroup", rule=policy.ADD_GROUP, body=AddGroup)
def add_security_group(ctx: Context, tx: Tx, server_id: str, body: AddGroup) -> None:
    service.add_security_group(ctx, tx, server_id, body.name)


@routes.action(ACTION, "removeSecurityGroup", rule=policy.REMOVE_GROUP, body=RemoveGroup)
def remove_security_group(ctx: Context, tx: Tx, server_id: str, body: RemoveGroup) -> None:
    service.remove_security_group(ctx, tx, server_id, body.name)


def _read_console(ctx: Context, result: Any) -> dict[str, Any]:
    from pilvi.compute.hosts.service import ask_console

    server, lines = result
    return {"output": ask_console(server.host, server.id, lines)}


@routes.action(
    ACTION,
    "os-getConsoleOutput",
    rule=policy.CONSOLE_OUTPUT,
    body=ConsoleOutput,
    status=200,
    writes=False,
    then=_read_console,
)
def console_output(ctx: Context, tx: Tx, server_id: str, body: ConsoleOutput) -> tuple[Server, int | None]:
    lines = None if body.length is None else int(body.length)
    return service.console_output(ctx, tx, server_id), None if lines is None or lines < 0 else lines
