"""Faults that are planted one by one: the first line of `why` names the true cause, and says who can do what."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilvi.compute.drivers.image_cache import Image as CachedImage
from pilvi.compute.drivers.image_cache import ImageCache
from pilvi.compute.drivers.protocol import DriverFault
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, connect
from pilvi.kernel.loop import Loop, Runner
from pilvi.ops.explain import service as explain
from pilvi.ops.explain.story import Story
from tests.contract.client import Client, Reply
from tests.contract.compute.conftest import FACTS, Node
from tests.contract.conftest import Accounts, open_cloud, settle

ENOUGH = 0.95
"""38 of 40."""


class World:
    """A cloud with a host, an image, a flavor and a network, in which one thing is about to go wrong."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.cloud = settle(open_cloud(database, folder))
        self.node = Node(self.cloud)
        self.network_api = self.cloud.at("/network/v2.0")
        self.flavor("1", ram=192, vcpus=1, disk=1)

    def furnish(self) -> "World":
        self.node.report(host=FACTS, started=True)
        self.image_id = self.image()
        self.network_id, self.subnet_id = self.network("net", "10.0.0.0/24")
        return self

    def flavor(self, id: str, **values: Any) -> None:
        specs = values.pop("extra_specs", {})
        body = {"flavor": {"name": f"f{id}", "id": id, **values}}
        admin = self.cloud.as_admin()
        assert admin.post("/flavors", body).status == 200
        if specs:
            assert admin.post(f"/flavors/{id}/os-extra_specs", {"extra_specs": specs}).status == 200

    def image(self, **values: Any) -> str:
        images = self.cloud.as_admin().at("/image/v2")
        body = {"name": "tiny", "disk_format": "qcow2", "container_format": "bare", "visibility": "public", **values}
        id: str = images.post("/images", body).body["id"]
        transfer = self.database.write(lambda tx: image_data.begin(internal("req-i"), tx, id, store="file"))
        received = Received(1_000_000, 50 * 1024**2, "0" * 32, "a" * 128)
        self.database.write(
            lambda tx: image_data.finish(internal("req-i"), tx, transfer, received, states=(Status.SAVING,))
        )
        return id

    def network(self, name: str, cidr: str | None) -> tuple[str, str]:
        id = self.network_api.post("/networks", {"network": {"name": name}}).body["network"]["id"]
        if cidr is None:
            return id, ""
        body = {"subnet": {"network_id": id, "ip_version": 4, "cidr": cidr}}
        return id, self.network_api.post("/subnets", body).body["subnet"]["id"]

    def port(self, **values: Any) -> Any:
        reply = self.network_api.post("/ports", {"port": {"network_id": self.network_id, **values}})
        assert reply.status == 201, reply.content
        return reply.body["port"]

    def ask(self, *, who: Client | None = None, **more: Any) -> Reply:
        server = {
            "name": "one", "imageRef": self.image_id, "flavorRef": "1", "networks": [{"uuid": self.network_id}], **more,
        }  # fmt: skip
        return (who or self.cloud).post("/servers", {"server": server}, microversion="2.37")

    def asked(self, **more: Any) -> str:
        """A server that is accepted, whatever becomes of it."""
        reply = self.ask(**more)
        assert reply.status == 202, reply.content
        id: str = reply.body["server"]["id"]
        return id

    def boot(self, **more: Any) -> str:
        id = self.asked(**more)
        self.node.turn()
        return id

    def port_of(self, server: str) -> str:
        id: str = self.network_api.get(f"/ports?device_id={server}").body["ports"][0]["id"]
        return id

    def host_says(self, server: str, **more: Any) -> None:
        """A report about one guest."""
        state = self.cloud.as_host().get("/state").body
        wanted = next(s for s in state["servers"] if s["id"] == server)
        self.node.revision = state["revision"]
        one = {"id": server, "generation": wanted["generation"], "power": "absent", "reboot_generation": 0,
               "error": None, "steps": [], **more}  # fmt: skip
        self.node.report(servers=[one])

    def host_fails(self, server: str, fault: DriverFault) -> None:
        error = {"message": fault.message, "detail": fault.detail, "retry": False}
        step = {"step": "define", "at": "2026-11-22T16:00:00.000000Z", "duration_ms": 3.0, "outcome": "failed",
                "detail": fault.message}  # fmt: skip
        self.host_says(server, error=error, steps=[step])

    def host_network(self, **document: Any) -> None:
        self.node.report(network={"revision": self.node.revision, "objects": [], **document})

    def silence(self) -> None:
        """The agent is not heard of any more."""
        sql = "update kernel_hosts set seen_at = seen_at - 1000"
        self.database.write(lambda tx: tx._connection.run(sql, {}))

    def cached(self, **values: Any) -> DriverFault:
        """What the host's image cache says of such an image."""
        content = values.pop("content", b"x" * 512)
        sha512 = values.pop("sha512", hashlib.sha512(content).hexdigest())
        cache = ImageCache(self.folder / "cache", lambda _, into: into.write(content) and None)
        wanted = {"id": self.image_id, "sha512": sha512, "disk_format": "qcow2", "size_bytes": len(content),
                  "virtual_size_bytes": 1024, **values}  # fmt: skip
        with pytest.raises(DriverFault) as caught:
            cache.ensure(CachedImage(**wanted))
        return caught.value


Seed = Callable[[World], str]
SEEDS: list[tuple[str, str, Seed]] = []


def seed(pattern: str) -> Callable[[Seed], Seed]:
    """Registers a fault: it is planted, and what is returned is asked about."""

    def register(plant: Seed) -> Seed:
        SEEDS.append((plant.__name__, pattern, plant))
        return plant

    return register


def refused(reply: Reply) -> str:
    assert 400 <= reply.status < 500, reply.content
    return reply.headers.get("X-Openstack-Request-Id") or reply.headers["x-openstack-request-id"]


def quota(world: World, **values: int) -> None:
    body = {"quota_set": {**values, "force": True}}
    assert world.cloud.as_admin().put(f"/os-quota-sets/{world.cloud.facts['demo']}", body).status == 200


# ---- requests that are turned down -------------------------------------------------------------------------------


@seed("instances")
def quota_of_servers(world: World) -> str:
    quota(world, instances=0)
    return refused(world.ask())


@seed("cores")
def quota_of_cores(world: World) -> str:
    quota(world, cores=0)
    return refused(world.ask())


@seed(r"\bram\b")
def quota_of_memory(world: World) -> str:
    quota(world, ram=100)
    return refused(world.ask())


def network_quota(world: World, name: str) -> None:
    admin = world.network_api.as_admin()
    assert admin.put(f"/quotas/{world.cloud.facts['demo']}", {"quota": {name: 0}}).status == 200


@seed("ports exceeded")
def quota_of_ports(world: World) -> str:
    network_quota(world, "port")
    return refused(world.ask())


@seed("Quota exceeded.*network")
def quota_of_networks(world: World) -> str:
    network_quota(world, "network")
    return refused(world.network_api.post("/networks", {"network": {"name": "more"}}))


@seed("(?i)policy|allow|role")
def policy(world: World) -> str:
    return refused(world.ask(who=world.cloud.as_reader()))


@seed("(?i)flavor nothing could not be found")
def no_flavor(world: World) -> str:
    return refused(world.ask(flavorRef="nothing"))


@seed("(?i)image .* could not be found")
def no_image(world: World) -> str:
    return refused(world.ask(imageRef="11111111-1111-1111-1111-111111111111"))


@seed("is not active")
def image_without_data(world: World) -> str:
    body = {"name": "empty", "disk_format": "qcow2", "container_format": "bare", "visibility": "public"}
    id = world.cloud.as_admin().at("/image/v2").post("/images", body).body["id"]
    return refused(world.ask(imageRef=id))


@seed("disk is too small")
def disk_too_small(world: World) -> str:
    return refused(world.ask(imageRef=world.image(min_disk=50)))


@seed("memory is too small")
def memory_too_small(world: World) -> str:
    return refused(world.ask(imageRef=world.image(min_ram=4096)))


@seed("requires a subnet")
def no_subnet(world: World) -> str:
    return refused(world.ask(networks=[{"uuid": world.network("bare", None)[0]}]))


@seed("keypair")
def no_keypair(world: World) -> str:
    return refused(world.ask(key_name="nothing"))


@seed("still in use")
def port_in_use(world: World) -> str:
    return refused(world.ask(networks=[{"port": world.port_of(world.boot())}]))


@seed(r"10\.0\.0\.77 is already in use")
def address_in_use(world: World) -> str:
    world.port(fixed_ips=[{"ip_address": "10.0.0.77"}])
    return refused(world.ask(networks=[{"uuid": world.network_id, "fixed_ip": "10.0.0.77"}]))


@seed("availability zone is not available: nowhere")
def no_zone(world: World) -> str:
    return refused(world.ask(availability_zone="nowhere"))


@seed("is locked")
def locked(world: World) -> str:
    id = world.boot()
    assert world.cloud.as_admin().post(f"/servers/{id}/action", {"lock": None}).status == 202
    return refused(world.cloud.post(f"/servers/{id}/action", {"os-stop": None}))


@seed("while it is in vm_state stopped")
def wrong_state(world: World) -> str:
    id = world.boot()
    world.cloud.post(f"/servers/{id}/action", {"os-stop": None})
    world.node.turn()
    world.cloud.post(f"/servers/{id}/action", {"pause": None})
    return id  # The server is well: what was refused last is told.


@seed("(?i)no more ip|addresses")
def addresses_exhausted(world: World) -> str:
    network, _ = world.network("small", "10.9.0.0/30")
    world.network_api.post("/ports", {"port": {"network_id": network}})
    return refused(world.network_api.post("/ports", {"port": {"network_id": network}}))


@seed("base64")
def user_data_not_base64(world: World) -> str:
    return refused(world.ask(user_data="#cloud-config"))


# ---- no host takes it --------------------------------------------------------------------------------------------


@seed(r"node: \d+ vCPUs asked, \d+ free")
def capacity_of_processors(world: World) -> str:
    world.flavor("big", ram=64, vcpus=14, disk=1)
    quota(world, cores=1000)
    for number in range(5):
        world.asked(flavorRef="big", name=f"n{number}")
    return world.asked(flavorRef="big")


@seed(r"node: \d+ MiB of memory asked, \d+ free")
def capacity_of_memory(world: World) -> str:
    world.flavor("big", ram=15000, vcpus=1, disk=1)
    quota(world, ram=1_000_000)
    world.asked(flavorRef="big", name="n")
    world.asked(flavorRef="big", name="m")
    return world.asked(flavorRef="big")


@seed(r"node: \d+ GiB of disk asked, \d+ free")
def capacity_of_disk(world: World) -> str:
    world.flavor("big", ram=64, vcpus=1, disk=150)
    world.asked(flavorRef="big", name="n")
    return world.asked(flavorRef="big")


@seed("17 vCPUs asked, one server may have 16")
def larger_than_any_host(world: World) -> str:
    world.flavor("huge", ram=64, vcpus=17, disk=1)
    return world.asked(flavorRef="huge")


@seed("it lacks HW_CPU_X86_AVX512F")
def trait_missing(world: World) -> str:
    world.flavor("t", ram=64, vcpus=1, disk=1, extra_specs={"trait:HW_CPU_X86_AVX512F": "required"})
    return world.asked(flavorRef="t")


@seed("unwanted HW_CPU_X86_SSE")
def trait_forbidden(world: World) -> str:
    world.flavor("t", ram=64, vcpus=1, disk=1, extra_specs={"trait:HW_CPU_X86_SSE": "forbidden"})
    return world.asked(flavorRef="t")


@seed("node: its agent does not answer")
def no_agent_at_create(world: World) -> str:
    world.silence()
    return world.asked()


@seed("node: it is disabled: new disks")
def host_disabled(world: World) -> str:
    admin = world.cloud.as_admin()
    service = admin.get("/os-services", microversion="2.53").body["services"][0]["id"]
    body = {"status": "disabled", "disabled_reason": "new disks"}
    assert admin.put(f"/os-services/{service}", body, microversion="2.53").status == 200
    return world.asked()


@seed("has no host yet")
def no_host(world: World) -> str:
    for table in ("placement_inventories", "placement_providers", "kernel_hosts"):
        world.database.write(lambda tx, t=table: tx._connection.run(f"delete from {t}", {}))
    return world.asked()


# ---- on the host -------------------------------------------------------------------------------------------------


@seed("arrived damaged")
def image_checksum(world: World) -> str:
    id = world.asked()
    world.host_fails(id, world.cached(sha512="0" * 128))
    return id


@seed("said to be qcow2 and is not")
def image_format(world: World) -> str:
    id = world.asked()
    world.host_fails(id, world.cached())
    return id


@seed("refers to another file")
def image_with_a_backing_file(world: World) -> str:
    id = world.asked()
    header = b"QFI\xfb" + (3).to_bytes(4, "big") + (104).to_bytes(8, "big") + bytes(400)
    world.host_fails(id, world.cached(content=header))
    return id


@seed("the host's disk has 5 left")
def disk_full(world: World) -> str:
    id = world.asked()
    with pytest.MonkeyPatch.context() as patch:
        usage = shutil.disk_usage(world.folder)
        patch.setattr(shutil, "disk_usage", lambda _: type(usage)(usage.total, usage.used, 5))
        fault = world.cached()
    world.host_fails(id, fault)
    return id


@seed("qemu-system-x86_64 cannot be started")
def no_qemu(world: World) -> str:
    id = world.asked()
    world.host_fails(id, DriverFault("qemu-system-x86_64 cannot be started: No such file or directory.", retry=True))
    return id


@seed("/dev/kvm")
def no_kvm(world: World) -> str:
    id = world.asked()
    world.host_fails(id, DriverFault("Could not access /dev/kvm: Permission denied.", retry=True))
    state = world.cloud.get(f"/servers/{id}").body["server"]
    assert "/dev" not in state["fault"]["message"]
    return id


@seed("process died")
def qemu_crash(world: World) -> str:
    id = world.boot()
    world.host_says(id, power="crashed")
    return id


@seed("shut itself down")
def guest_shut_down(world: World) -> str:
    id = world.boot()
    world.host_says(id, power="off")
    return id


@seed("agent of host node has not been heard of")
def agent_dead_while_building(world: World) -> str:
    id = world.asked()
    world.silence()
    return id


@seed("agent of host node has not been heard of")
def agent_dead_under_a_running_server(world: World) -> str:
    id = world.boot()
    world.silence()
    return id


@seed("agent of host node has not been heard of")
def host_silent(world: World) -> str:
    world.silence()
    return "node"


@seed("could not bind port .*no tap")
def port_binding(world: World) -> str:
    id = world.asked()
    world.node.turn()
    port = world.port_of(id)
    world.host_network(objects=[{"kind": "port", "id": port, "error": "The data plane has no tap for it: no tap"}])
    return port


@seed("could not bind port .*no tap")
def port_binding_seen_from_the_server(world: World) -> str:
    id = world.boot()
    error = {"kind": "port", "id": world.port_of(id), "error": "The data plane has no tap for it: no tap"}
    world.host_network(objects=[error])
    return id


@seed("nf_conntrack_bridge")
def kernel_feature(world: World) -> str:
    id = world.asked()
    reason = "this kernel (bridge: not supported). Remedy: modprobe nf_conntrack_bridge, or modprobe br_netfilter"
    world.host_network(error=f"Security groups cannot be enforced on {reason}, and install nftables.")
    return world.port_of(id)


@seed("nf_conntrack_bridge")
def kernel_feature_seen_from_the_host(world: World) -> str:
    world.host_network(error="Security groups cannot be enforced on this kernel: modprobe nf_conntrack_bridge.")
    return "node"


@seed("DHCP and metadata are not served: .*Address already in use")
def dhcp_down(world: World) -> str:
    id = world.boot()
    world.host_network(responders={world.network_id: "10.0.0.2:67: Address already in use"})
    return id


@seed("metadata.*169.254.169.254")
def metadata_unreachable(world: World) -> str:
    world.boot()
    world.host_network(responders={world.network_id: "169.254.169.254:80: Cannot assign requested address"})
    return world.network_id


@seed("could not make router .*no uplink")
def router_fails(world: World) -> str:
    router: str = world.network_api.post("/routers", {"router": {"name": "r"}}).body["router"]["id"]
    subnet = {"subnet_id": world.subnet_id}
    assert world.network_api.put(f"/routers/{router}/add_router_interface", subnet).status == 200
    world.node.turn()
    world.host_network(objects=[{"kind": "router", "id": router, "error": "The data plane has no uplink: no uplink"}])
    return router


@seed("associated with no port")
def floating_ip_alone(world: World) -> str:
    admin = world.network_api.as_admin()
    body = {"name": "public", "router:external": True, "provider:network_type": "flat",
            "provider:physical_network": "external"}  # fmt: skip
    public = admin.post("/networks", {"network": body}).body["network"]["id"]
    outer = {"network_id": public, "cidr": "203.0.113.0/24", "ip_version": 4, "enable_dhcp": False}
    admin.post("/subnets", {"subnet": outer})
    made = world.network_api.post("/floatingips", {"floatingip": {"floating_network_id": public}})
    address: str = made.body["floatingip"]["floating_ip_address"]
    return address


@seed("switched off")
def port_switched_off(world: World) -> str:
    port = world.port_of(world.boot())
    world.network_api.put(f"/ports/{port}", {"port": {"admin_state_up": False}})
    world.node.turn()
    return port


@seed("upload broke off")
def image_upload_broke_off(world: World) -> str:
    body = {"name": "half", "disk_format": "qcow2", "container_format": "bare"}
    id: str = world.cloud.as_admin().at("/image/v2").post("/images", body).body["id"]
    ctx = internal("req-upload")
    transfer = world.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file"))
    world.database.write(lambda tx: image_data.give_up(ctx, tx, transfer, "The upload broke off after 5 of 9 bytes."))
    return id


@seed("was deactivated by admin")
def image_deactivated(world: World) -> str:
    images = world.cloud.as_admin().at("/image/v2")
    assert images.post(f"/images/{world.image_id}/actions/deactivate").status == 204
    return world.image_id


@seed("is at work on it|has not reported|applied")
def host_at_work(world: World) -> str:
    return world.asked()


@seed("has failed 1 times: .*disk I/O error")
def loop_fails(world: World) -> str:
    def reconcile(database: Database, key: str) -> None:
        raise OSError("disk I/O error")

    Runner(world.database, [Loop("tidy", reconcile, sweep=lambda tx: ["the-key"])]).turn()
    return "tidy the-key"


@seed("was deleted at .* by member")
def deleted(world: World) -> str:
    id = world.boot()
    assert world.cloud.delete(f"/servers/{id}").status == 204
    world.node.turn()
    return id


@pytest.fixture
def worlds(sqlite_template: tuple[Path, Accounts], tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """A fresh cloud for each fault."""
    template, accounts = sqlite_template
    opened: list[Any] = []

    def fresh(name: str) -> World:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(template, folder / "cloud.db")
        database: Any = connect(str(folder / "cloud.db"))
        database.accounts = accounts
        opened.append(database)
        return World(database, folder).furnish()

    yield fresh
    for database in opened:
        database.close()


def test_the_first_line_names_the_true_cause(
    worlds: Callable[[str], World], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong: list[str] = []
    mute: list[str] = []
    for name, pattern, plant in SEEDS:
        world = worlds(name)
        what = plant(world)
        stories: list[Story] = world.database.read(lambda tx, what=what: explain.explain(tx, what))  # type: ignore[misc]
        line = stories[0].headline if stories else "(nothing)"
        if not re.search(pattern, line):
            wrong.append(f"{name}: {line}")
        elif not (stories[0].causes and stories[0].causes[0].remedy):
            mute.append(name)
    with capsys.disabled():
        print(f"\nwhy: {len(SEEDS) - len(wrong)} of {len(SEEDS)} seeded faults are named in the first line")
    assert len(SEEDS) >= 40
    assert len(SEEDS) - len(wrong) >= ENOUGH * len(SEEDS), wrong
    assert wrong == []
    assert set(mute) <= {"deleted", "host_at_work", "image_upload_broke_off", "loop_fails"}
