"""Creating servers: checks, quota, place, claim and ports in one transaction."""

import base64
import binascii
from dataclasses import asdict, dataclass, field
from typing import Any

from pilvi.compute.flavors import service as flavors
from pilvi.compute.flavors.model import Flavor
from pilvi.compute.instance_actions import service as actions
from pilvi.compute.keypairs import service as keypairs
from pilvi.compute.quotas import service as quotas
from pilvi.compute.quotas.model import check as check_quota
from pilvi.compute.scheduling import service as scheduling
from pilvi.compute.scheduling.model import HostState, Ranking, Refusal, Request
from pilvi.compute.servers import policy, store
from pilvi.compute.servers.model import Power, Server, Task, VmState, hostname_of, plain_address
from pilvi.compute.services.model import DEFAULT_ZONE
from pilvi.image import facade as image
from pilvi.kernel import clock, facts, hosts, ids, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pilvi.network import facade as network
from pilvi.placement import facade as placement

MIB, GIB = 1024**2, 1024**3
REMEDY = "Ask for a smaller flavor or another zone, delete what is not needed, or have the operator add a host."
PASSWORD_LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105 an alphabet


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked for, free of the wire's shapes."""

    name: str
    flavor_id: str
    image_id: str
    networks: list[network.NicRequest] | None
    """None: whatever single network the project has."""
    description: str | None = None
    admin_password: str | None = None
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    availability_zone: str | None = None
    config_drive: bool = False
    key_name: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    min_count: int = 1
    max_count: int = 1
    security_groups: list[str] = field(default_factory=list)
    user_data: str | None = None
    disk_config: str = "MANUAL"


def create(ctx: Context, tx: Tx, wish: Wish) -> list[Server]:
    """Accept servers. What no host can take is accepted too, and says in its fault why it is in ERROR."""
    policy.CREATE.check(ctx, project_id=ctx.project_id)
    flavor = _flavor(ctx, tx, wish)
    picture = _image(ctx, tx, wish, flavor)
    public_key = _public_key(ctx, tx, wish)
    _check_user_data(wish)
    zone, forced_host = _zone(ctx, tx, wish)
    requests = network.default_requests(ctx, tx, ctx.project_id) if wish.networks is None else wish.networks
    network.check_requests(ctx, tx, ctx.project_id, requests, wish.security_groups)
    count = _count(ctx, tx, wish, flavor, requests)
    request = _needs(flavor, picture, zone, forced_host)
    reservation = "r-" + ids.hexid()[:8]
    made = []
    for index in range(count):
        server = _server(ctx, wish, flavor, picture, public_key, reservation, index, count)
        store.add(tx, server)
        actions.start(ctx, tx, server.id, server.project_id, "create")
        _place(ctx, tx, server, request, requests, wish.security_groups)
        made.append(server)
    ctx.about("server", made[0].id, made[0].name)
    return made


def trial(ctx: Context, tx: Tx, wish: Wish) -> Ranking:
    """What `create` would find for one such server, with the same refusals. Nothing is written."""
    flavor = _flavor(ctx, tx, wish)
    picture = _image(ctx, tx, wish, flavor)
    zone, forced_host = _zone(ctx, tx, wish)
    requests = wish.networks or []
    network.check_requests(ctx, tx, ctx.project_id, requests, [])
    if ctx.project_id:
        _count(ctx, tx, wish, flavor, requests)
    return scheduling.choose(tx, _needs(flavor, picture, zone, forced_host))


def _needs(flavor: Flavor, picture: image.ImageRef, zone: str | None, host: str | None) -> Request:
    frozen = asdict(flavor)
    disk_gib = flavor.disk + flavor.ephemeral + -(-flavor.swap // 1024)
    if flavor.disk == 0:
        disk_gib += -(-(picture.virtual_size or picture.size or 0) // GIB)
    return Request(
        resources=scheduling.resources_of(frozen, disk_gib),
        required_traits=scheduling.traits_of(frozen, "required"),
        forbidden_traits=scheduling.traits_of(frozen, "forbidden"),
        availability_zone=zone,
        host=host,
    )


def _flavor(ctx: Context, tx: Tx, wish: Wish) -> Flavor:
    try:
        flavor = flavors.get(tx, ctx, wish.flavor_id)
    except NotFound:
        raise BadRequest(f"Flavor {wish.flavor_id} could not be found.") from None
    return flavor


def _image(ctx: Context, tx: Tx, wish: Wish, flavor: Flavor) -> image.ImageRef:
    if not wish.image_id:
        raise BadRequest("Invalid imageRef provided: give the id of an image to boot from.")
    try:
        found = image.get(ctx, tx, wish.image_id)
    except NotFound:
        raise BadRequest(f"Image {wish.image_id} could not be found.") from None
    if found.status != "active":
        raise BadRequest(f"Image {found.id} is not active.")
    if found.min_ram > flavor.ram:
        raise BadRequest(
            f"Flavor's memory is too small for requested image: the flavor has {flavor.ram} MiB, the image needs "
            f"{found.min_ram} MiB."
        )
    needed_gib = max(found.min_disk, -(-(found.virtual_size or found.size or 0) // GIB))
    if flavor.disk and flavor.disk < needed_gib:
        raise BadRequest(
            f"Flavor's disk is too small for requested image. Flavor disk is {flavor.disk * GIB} bytes, "
            f"image is {needed_gib * GIB} bytes."
        )
    return found


def _public_key(ctx: Context, tx: Tx, wish: Wish) -> str | None:
    if wish.key_name is None:
        return None
    keypair = keypairs.find(tx, ctx.user_id, wish.key_name)
    if keypair is None:
        raise BadRequest(f"Invalid key_name provided: you have no keypair named {wish.key_name}.")
    return keypair.public_key


def _check_user_data(wish: Wish) -> None:
    if wish.user_data is not None:
        try:
            base64.b64decode(wish.user_data, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("Userdata content cannot be decoded: send it base64-encoded.") from None


def _zone(ctx: Context, tx: Tx, wish: Wish) -> tuple[str | None, str | None]:
    """The zone asked for and, for administrators, the host of `zone:host`."""
    if wish.availability_zone is None:
        return None, None
    zone, _, rest = wish.availability_zone.partition(":")
    host = rest.partition(":")[0] or rest.rpartition(":")[2] or None
    if host is not None:
        policy.FORCED_HOST.check(ctx, project_id=ctx.project_id)
        if hosts.find(tx, host) is None:
            raise BadRequest(f"Compute host {host} could not be found.")
    if zone and zone != DEFAULT_ZONE:
        raise BadRequest(f"The requested availability zone is not available: {zone}. There is {DEFAULT_ZONE}.")
    return zone or None, host


def _count(ctx: Context, tx: Tx, wish: Wish, flavor: Flavor, requests: list[network.NicRequest]) -> int:
    """How many servers the quota lets us make, between the least and the most asked for."""
    if wish.min_count > wish.max_count:
        raise BadRequest("min_count must be <= max_count")
    if wish.max_count > 1 and any(r.port_id or r.fixed_ip for r in requests):
        raise BadRequest("Several servers cannot share one port or fixed address; ask for networks instead.")
    tx.lock("compute quota", ctx.project_id)
    limits = quotas.limits_of(tx, ctx.project_id)
    used = quotas.used_by(tx, ctx.project_id)
    most = limits["metadata_items"]
    if 0 <= most < len(wish.metadata):
        raise Forbidden(f"Maximum number of metadata items exceeds {most}")
    for count in range(wish.max_count, wish.min_count, -1):
        asked = {"instances": count, "cores": count * flavor.vcpus, "ram": count * flavor.ram}
        if all(limits[n] < 0 or used[n] + a <= limits[n] for n, a in asked.items()):
            return count
    count = wish.min_count
    check_quota({"instances": count, "cores": count * flavor.vcpus, "ram": count * flavor.ram}, used, limits)
    return count


def _server(
    ctx: Context,
    wish: Wish,
    flavor: Flavor,
    picture: image.ImageRef,
    public_key: str | None,
    reservation: str,
    index: int,
    count: int,
) -> Server:
    id, now = ids.uuid(), clock.timestamp()
    name = wish.name if count == 1 else f"{wish.name}-{index + 1}"
    return Server(
        id=id, name=name, hostname=hostname_of(name, id), project_id=ctx.project_id, user_id=ctx.user_id,
        description=wish.description, flavor=asdict(flavor), vcpus=flavor.vcpus, memory_mib=flavor.ram,
        image_id=picture.id,
        image={
            "id": picture.id, "sha512": picture.sha512, "disk_format": picture.disk_format,
            "size_bytes": picture.size or 0, "virtual_size_bytes": picture.virtual_size or picture.size or 0,
            "properties": picture.properties,
        },
        key_name=wish.key_name, public_key=public_key, user_data=wish.user_data, config_drive=wish.config_drive,
        metadata=wish.metadata, tags=wish.tags, admin_password=wish.admin_password or _password(),
        access_ip_v4=wish.access_ip_v4, access_ip_v6=plain_address(wish.access_ip_v6), disk_config=wish.disk_config,
        availability_zone=wish.availability_zone.partition(":")[0] if wish.availability_zone else "",
        reservation_id=reservation, launch_index=index, created_at=now, updated_at=now, launched_at=None, host=None,
        vm_state=VmState.BUILDING, task_state=Task.SCHEDULING, task_since=clock.now(), power_state=0,
        wanted_power=Power.ON, generation=1, seen_generation=0, reboot_generation=0, reboot_kind="soft",
        request_id=ctx.request_id, locked_by=None, locked_reason=None, fault=None,
    )  # fmt: skip


def _password() -> str:
    return "".join(PASSWORD_LETTERS[byte % len(PASSWORD_LETTERS)] for byte in ids.random_bytes(12))


def _place(
    ctx: Context,
    tx: Tx,
    server: Server,
    request: Request,
    requests: list[network.NicRequest],
    security_groups: list[str],
) -> None:
    """Find a host, claim it, make the ports there. A server that nothing can take gets its fault instead."""
    about = ("server", server.id, server.name)
    ranking, chosen = _claim(tx, server, request)
    detail: dict[str, Any] = {
        "asked": dict(request.resources),
        "refused": {r.host: r.reason for r in ranking.refused},
        "chosen": chosen.name if chosen else None,
    }
    if chosen is None:
        detail |= {"message": ranking.explanation(), "remedy": REMEDY}
    facts.record(tx, ctx, "schedule", resource=about, outcome="done" if chosen else "failed", detail=detail)
    now = clock.timestamp()
    name = "scheduling"
    if chosen is None:
        message = ranking.explanation()
        fault = {"code": 500, "created": now, "message": message, "details": _details(ranking)}
        changes: dict[str, Any] = {
            "vm_state": VmState.ERROR,
            "task_state": None,
            "wanted_power": Power.OFF,
            "fault": fault,
        }
        actions.event(
            tx, server.id, ctx.request_id, name, start_time=now, finish_time=now, failed=True, details=message
        )
    else:
        actions.event(tx, server.id, ctx.request_id, name, start_time=now, finish_time=now, host=chosen.name)
        network.allocate(
            ctx, tx, server_id=server.id, project_id=server.project_id, hostname=server.hostname,
            availability_zone=chosen.availability_zone, requests=requests, security_groups=security_groups,
        )  # fmt: skip
        network.bind(tx, server.id, chosen.name)
        changes = {
            "host": chosen.name, "task_state": Task.SPAWNING,
            "availability_zone": server.availability_zone or chosen.availability_zone,
        }  # fmt: skip
        hosts.changed(tx, chosen.name)
        work.poke(tx, "server", server.id, ctx.request_id, after_s=5.0)
    store.update(tx, server.id, changes)
    for column, value in changes.items():
        setattr(server, column, value)


def _claim(tx: Tx, server: Server, request: Request) -> tuple[Ranking, HostState | None]:
    """The best host whose claim succeeds: between the look and the claim another transaction may have been faster."""
    ranking = scheduling.choose(tx, request)
    faster: list[Refusal] = []
    for host in ranking.hosts:
        try:
            placement.claim(
                tx, consumer_id=server.id, project_id=server.project_id, user_id=server.user_id,
                consumer_type="INSTANCE", resources={host.provider_id: dict(request.resources)},
            )  # fmt: skip
        except Conflict as taken:
            reason = f"another request was faster: {taken.message}"
            faster.append(Refusal(host.name, reason, "another request was faster, and less than that is free"))
            continue
        return ranking, host
    return Ranking((), (*ranking.refused, *faster)), None


def _details(ranking: Ranking) -> str:
    """Every host with its reason. Fault details are shown to operators and to nobody else."""
    return "\n".join(f"{refusal.host}: {refusal.reason}" for refusal in ranking.refused[:200])
