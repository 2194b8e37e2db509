"""A host played by the test, an image with data, a network: what servers need."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import internal
from tests.contract.client import Client

FACTS = {
    "vcpus": 16, "memory_mib": 16384, "disk_gib": 200, "memory_used_mib": 512, "disk_free_gib": 190,
    "hypervisor_type": "QEMU", "hypervisor_version": 7002000, "host_ip": "127.0.0.1", "cpu_info": {"arch": "x86_64"},
    "traits": ["HW_CPU_X86_SSE"], "version": "test", "uptime": "up",
}  # fmt: skip


@dataclass
class Node:
    """Plays the agent of host `node`: does at once what is wanted, unless told to do otherwise."""

    cloud: Client
    revision: int = 0
    guests: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    """Server name → message that its next turn fails with."""
    last: dict[str, Any] = field(default_factory=dict)

    def report(self, **more: Any) -> None:
        reply = self.cloud.as_host().post("/report", {"revision": self.revision, "servers": [], **more})
        assert reply.status == 200, reply.content

    def turn(self) -> dict[str, Any]:
        """Pull and report everything as done. Returns the document."""
        reply = self.cloud.as_host().get("/state")
        assert reply.status == 200, reply.content
        document: dict[str, Any] = reply.body
        self.last = document
        self.revision = document["revision"]
        network = document["network"]
        kinds = {"networks": "network", "ports": "port", "routers": "router", "security_groups": "security_group"}
        objects = [{"kind": kinds[k], "id": o["id"], "error": None} for k in kinds for o in network.get(k, [])]
        for router in network.get("routers", []):
            objects += [{"kind": "floating_ip", "id": f["id"], "error": None} for f in router["floating_ips"]]
        servers = [self._guest(server) for server in document["servers"]]
        self.report(servers=servers, network={"revision": self.revision, "objects": objects})
        return document

    def _guest(self, wanted: dict[str, Any]) -> dict[str, Any]:
        error = None
        if wanted["power"] != "absent" and wanted["name"] in self.faults:
            error = {"message": self.faults[wanted["name"]], "detail": "qemu said no", "retry": False}
        self.guests[wanted["id"]] = "off" if error else wanted["power"]
        return {
            "id": wanted["id"], "generation": wanted["generation"], "power": self.guests[wanted["id"]],
            "reboot_generation": wanted["reboot"]["generation"], "error": error,
            "steps": [{"step": "power_on", "at": "2026-11-22T16:00:00.000000Z", "duration_ms": 12.5, "outcome": "done",
                       "detail": ""}],
        }  # fmt: skip


@pytest.fixture
def node(cloud: Client) -> Node:
    made = Node(cloud)
    made.report(host=FACTS, started=True)
    return made


@pytest.fixture
def image_id(cloud: Client) -> str:
    """A public qcow2 image with (imagined) data."""
    images = cloud.as_admin().at("/image/v2")
    body = {"name": "tiny", "disk_format": "qcow2", "container_format": "bare", "visibility": "public"}
    made = images.post("/images", body)
    assert made.status == 201, made.content
    id: str = made.body["id"]
    ctx = internal("req-test")
    transfer = cloud.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file"))
    received = Received(1_000_000, 50 * 1024**2, "0" * 32, "a" * 128)
    cloud.database.write(lambda tx: image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,)))
    return id


@pytest.fixture
def network_id(cloud: Client) -> str:
    network = cloud.at("/network/v2.0")
    made = network.post("/networks", {"network": {"name": "net"}})
    assert made.status == 201, made.content
    id: str = made.body["network"]["id"]
    subnet = network.post("/subnets", {"subnet": {"network_id": id, "ip_version": 4, "cidr": "10.0.0.0/24"}})
    assert subnet.status == 201, subnet.content
    return id


@pytest.fixture
def flavor_id(cloud: Client) -> str:
    body = {"flavor": {"name": "m1.nano", "id": "1", "ram": 192, "vcpus": 1, "disk": 1}}
    made = cloud.as_admin().post("/flavors", body)
    assert made.status == 200, made.content
    return "1"


@dataclass
class Boot:
    """Creates servers with everything that they need."""

    cloud: Client
    node: Node
    image_id: str
    network_id: str
    flavor_id: str

    def ask(self, name: str = "one", *, at: str = "2.37", who: Client | None = None, **more: Any) -> Any:
        server = {
            "name": name, "imageRef": self.image_id, "flavorRef": self.flavor_id,
            "networks": [{"uuid": self.network_id}], **more,
        }  # fmt: skip
        return (who or self.cloud).post("/servers", {"server": server}, microversion=at)

    def __call__(self, name: str = "one", **more: Any) -> str:
        """A server that its host has made."""
        reply = self.ask(name, **more)
        assert reply.status == 202, reply.content
        self.node.turn()
        id: str = reply.body["server"]["id"]
        return id


@pytest.fixture
def boot(cloud: Client, node: Node, image_id: str, network_id: str, flavor_id: str) -> Boot:
    return Boot(cloud, node, image_id, network_id, flavor_id)
