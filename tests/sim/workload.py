"""Tenants who do everything that the API offers, several of a project at once, and who look what became of it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import internal
from tests.sim.host import bytes_of, digest_of
from tests.sim.registers import Registers
from tests.sim.wire import Lost, Reply, call
from tests.sim.world import TENANTS, World

COMPUTE, NETWORK, IMAGE = "/compute/v2.1", "/network/v2.0", "/image/v2"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone"
FLAVORS = {"1": (1, 192, 1), "2": (2, 1024, 5), "3": (4, 3000, 20)}


@dataclass
class Known:
    """What a project's clients have heard of. Others of the project may have deleted it meanwhile."""

    servers: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    subnets: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    routers: list[str] = field(default_factory=list)
    floating_ips: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class Workload:
    def __init__(self, world: World, clients: int = 4) -> None:
        self.world = world
        self.rng = world.rng
        self.known = {tenant: Known() for tenant in TENANTS}
        self.registers = Registers(world)
        self.clients = clients
        self.pause_s = self.rng.choice((0.1, 0.3, 1.0))
        self.stopping = False
        self.public_network = ""
        self.image = ""
        self.count = 0
        self.answers: dict[str, int] = {}
        self.busy = 0
        """Clients that have not come to their end."""

    # -- the beginning ---------------------------------------------------------------------------------------------

    def furnish(self) -> None:
        """What an operator makes first, before anything goes wrong."""
        for id, (vcpus, ram, disk) in FLAVORS.items():
            flavor = {"name": f"f{id}", "id": id, "ram": ram, "vcpus": vcpus, "disk": disk}
            self._directly("POST", f"{COMPUTE}/flavors", {"flavor": flavor})
        outside = {"name": "public", "router:external": True, "provider:network_type": "flat",
                   "provider:physical_network": "external"}  # fmt: skip
        self.public_network = self._directly("POST", f"{NETWORK}/networks", {"network": outside})["network"]["id"]
        subnet = {"network_id": self.public_network, "cidr": "203.0.113.0/24", "ip_version": 4, "enable_dhcp": False,
                  "allocation_pools": [{"start": "203.0.113.10", "end": "203.0.113.60"}]}  # fmt: skip
        self._directly("POST", f"{NETWORK}/subnets", {"subnet": subnet})
        body = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        for project in self.world.ground.projects.values():
            if self.rng.random() < 0.5:
                quota = {"port": self.rng.randrange(4, 10), "floatingip": self.rng.randrange(1, 4)}
                self._directly("PUT", f"{NETWORK}/quotas/{project}", {"quota": quota})
        self.image = self._directly("POST", f"{IMAGE}/images", body)["id"]
        self._fill(self.image)

    def _directly(self, method: str, path: str, body: Any) -> Any:
        headers = {"X-Auth-Token": self.world.ground.tokens["admin"]}
        reply = call(self.world.ground.app, method, path, orjson.dumps(body), headers)
        assert reply.status < 300, (path, reply.content)
        return reply.body

    def _fill(self, image_id: str) -> None:
        """What `live` does when bytes come in; its two transactions are two steps."""
        ctx, database = internal("req-live"), self.world.database
        transfer = database.write(lambda tx: image_data.begin(ctx, tx, image_id, store="file"))
        size = len(bytes_of(image_id))
        received = Received(size, size, "0" * 32, digest_of(image_id))
        database.write(lambda tx: image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,)))

    # -- clients ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for number in range(self.clients):
            tenant = TENANTS[number % 2] if number < 3 else TENANTS[number % len(TENANTS)]
            self._spawn(f"client-{number} {tenant}", lambda tenant=tenant: self._go_on(tenant))
        self._spawn("client-admin", self._administrate)

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        self.busy += 1

        def run() -> None:
            work()
            self.busy -= 1

        self.world.scheduler.spawn(name, run)

    def _go_on(self, tenant: str) -> None:
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        while not self.stopping:
            self.world.scheduler.sleep(self.rng.expovariate(1 / self.pause_s))
            action = self.rng.choices(names, weights)[0]
            try:
                getattr(self, action)(tenant, self.known[tenant])
            except Lost:
                continue

    def _administrate(self) -> None:
        while not self.stopping:
            self.world.scheduler.sleep(self.rng.expovariate(1 / 6.0))
            try:
                self.rng.choice((self.set_compute_quota, self.set_network_quota, self.list_everything, self.reset))()
            except Lost:
                continue

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        reply = self.world.ask(who, method, path, body, **headers)
        kind = f"{reply.status // 100}xx"
        self.answers[kind] = self.answers.get(kind, 0) + 1
        return reply

    def _name(self, what: str) -> str:
        self.count += 1
        return f"{what}-{self.count}"

    def _one(self, found: list[str]) -> str | None:
        return self.rng.choice(found) if found else None

    def _make(self, who: str, path: str, root: str, values: dict[str, Any], into: list[str]) -> str | None:
        reply = self.ask(who, "POST", path, {root: values})
        if reply.status not in (200, 201, 202):
            return None
        id: str = reply.body[root]["id"]
        into.append(id)
        return id

    def _drop(self, who: str, path: str, known: list[str]) -> None:
        id = self._one(known)
        if id is not None and self.ask(who, "DELETE", f"{path}/{id}").status in (204, 404) and id in known:
            known.remove(id)

    # -- compute ---------------------------------------------------------------------------------------------------

    def boot(self, who: str, known: Known) -> None:
        rng = self.rng
        nics: list[dict[str, str]] = []
        for _ in range(rng.choice((1, 1, 1, 2))):
            port, net = self._one(known.ports), self._one(known.networks)
            if port is not None and rng.random() < 0.3:
                nics.append({"port": port})
            elif net is not None:
                nics.append({"uuid": net})
        server: dict[str, Any] = {
            "name": self._name("vm"), "flavorRef": rng.choice(list(FLAVORS)), "networks": nics,
            "imageRef": rng.choice([self.image, *known.images]),
        }  # fmt: skip
        if not nics and not known.networks:
            server["networks"] = "none"
        if rng.random() < 0.15:
            server |= {"min_count": 1, "max_count": 3}
        if known.keys and rng.random() < 0.3:
            server["key_name"] = rng.choice(known.keys)
        if rng.random() < 0.2:
            server["user_data"] = base64.b64encode(b"#!/bin/sh").decode()
        reply = self.ask(who, "POST", f"{COMPUTE}/servers", {"server": server}, OpenStack_API_Version="compute 2.37")
        if reply.status == 202:
            known.servers.append(reply.body["server"]["id"])

    def boot_and_regret(self, who: str, known: Known) -> None:
        """Deleted before it is there, as impatient people and failing scripts do."""
        self.boot(who, known)
        newest = known.servers[-1:]
        self.world.scheduler.sleep(self.rng.choice((0.0, 0.02, 0.5)))
        for id in newest:
            self.ask(who, "DELETE", f"{COMPUTE}/servers/{id}")

    def act(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is None:
            return
        body: dict[str, Any] = self.rng.choice((
            {"os-start": None}, {"os-stop": None}, {"pause": None}, {"unpause": None}, {"lock": None}, {"unlock": None},
            {"reboot": {"type": "SOFT"}}, {"reboot": {"type": "HARD"}}, {"os-stop": None}, {"os-start": None},
            {"addSecurityGroup": {"name": self._one(known.groups) or "default"}},
            {"removeSecurityGroup": {"name": self._one(known.groups) or "default"}},
        ))  # fmt: skip
        self.ask(who, "POST", f"{COMPUTE}/servers/{id}/action", body)

    def delete_server(self, who: str, known: Known) -> None:
        self._drop(who, f"{COMPUTE}/servers", known.servers)

    def find_servers(self, who: str, known: Known) -> None:
        """Also those whose answer was lost."""
        reply = self.ask(who, "GET", f"{COMPUTE}/servers/detail")
        if reply.status == 200:
            known.servers[:] = [one["id"] for one in reply.body["servers"]]
            for one in reply.body["servers"]:
                if one["status"] == "ERROR" and "fault" not in one:
                    self.world.violate("an error says why", f"server {one['id']}")

    def rename_server(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{COMPUTE}/servers", "server", "name", self._one(known.servers))

    def make_key(self, who: str, known: Known) -> None:
        name = self._name("key")
        if self.ask(who, "POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": name, "public_key": KEY}}).status < 300:
            known.keys.append(name)

    def drop_key(self, who: str, known: Known) -> None:
        self._drop(who, f"{COMPUTE}/os-keypairs", known.keys)

    def tag_server(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is not None:
            metadata = {"metadata": {f"k{self.rng.randrange(3)}": self._name("v")}}
            self.ask(who, self.rng.choice(("PUT", "POST")), f"{COMPUTE}/servers/{id}/metadata", metadata)

    # -- network ---------------------------------------------------------------------------------------------------

    def make_network(self, who: str, known: Known) -> None:
        if len(known.networks) < 4:
            id = self._make(who, f"{NETWORK}/networks", "network", {"name": self._name("net")}, known.networks)
            if id is not None:
                self._subnet(who, known, id)

    def make_subnet(self, who: str, known: Known) -> None:
        network = self._one(known.networks)
        if network is not None:
            self._subnet(who, known, network)

    def _subnet(self, who: str, known: Known, network: str) -> None:
        octet = self.rng.randrange(1, 60)
        values: dict[str, Any] = {"network_id": network, "ip_version": 4, "cidr": f"10.{octet}.0.0/28"}
        if self.rng.random() < 0.2:
            values = {"network_id": network, "ip_version": 6, "cidr": f"fd00:{octet}::/64",
                      "ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}  # fmt: skip
        self._make(who, f"{NETWORK}/subnets", "subnet", values, known.subnets)

    def change_subnet(self, who: str, known: Known) -> None:
        id = self._one(known.subnets)
        if id is not None:
            body = {"subnet": self.rng.choice(({"enable_dhcp": False}, {"enable_dhcp": True}, {"name": "other"}))}
            self.ask(who, "PUT", f"{NETWORK}/subnets/{id}", body)

    def drop_subnet(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/subnets", known.subnets)

    def drop_network(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/networks", known.networks)

    def rename_network(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{NETWORK}/networks", "network", "name", self._one(known.networks))

    def make_port(self, who: str, known: Known) -> None:
        network = self._one(known.networks)
        if network is not None:
            groups = [self.rng.choice(known.groups)] if known.groups and self.rng.random() < 0.4 else None
            values: dict[str, Any] = {"network_id": network, "name": self._name("port")}
            self._make(
                who, f"{NETWORK}/ports", "port", values | ({"security_groups": groups} if groups else {}), known.ports
            )

    def change_port(self, who: str, known: Known) -> None:
        id = self._one(known.ports)
        if id is None:
            return
        subnet = self._one(known.subnets)
        values: list[dict[str, Any]] = [
            {"admin_state_up": self.rng.random() < 0.6}, {"security_groups": known.groups[:2]},
            {"security_groups": [], "port_security_enabled": False}, {"port_security_enabled": True},
            {"fixed_ips": [{"subnet_id": subnet}] if subnet else []},
            {"allowed_address_pairs": [{"ip_address": "10.99.0.1"}]},
        ]  # fmt: skip
        self.ask(who, "PUT", f"{NETWORK}/ports/{id}", {"port": self.rng.choice(values)})

    def drop_port(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/ports", known.ports)

    def find_ports(self, who: str, known: Known) -> None:
        reply = self.ask(who, "GET", f"{NETWORK}/ports")
        if reply.status == 200:
            known.ports[:] = [
                one["id"] for one in reply.body["ports"] if not one["device_owner"].startswith("network:")
            ]

    def make_router(self, who: str, known: Known) -> None:
        if len(known.routers) < 2:
            gateway = {"network_id": self.public_network}
            values = {"name": self._name("router"), "external_gateway_info": gateway}
            self._make(who, f"{NETWORK}/routers", "router", values, known.routers)

    def plug_router(self, who: str, known: Known) -> None:
        router, subnet = self._one(known.routers), self._one(known.subnets)
        if router is not None and subnet is not None:
            verb = self.rng.choice(("add", "add", "add", "remove"))
            self.ask(who, "PUT", f"{NETWORK}/routers/{router}/{verb}_router_interface", {"subnet_id": subnet})

    def change_router(self, who: str, known: Known) -> None:
        id = self._one(known.routers)
        if id is not None:
            values: list[dict[str, Any]] = [
                {"external_gateway_info": None}, {"external_gateway_info": {"network_id": self.public_network}},
                {"admin_state_up": self.rng.random() < 0.6}, {"name": self._name("router")},
            ]  # fmt: skip
            self.ask(who, "PUT", f"{NETWORK}/routers/{id}", {"router": self.rng.choice(values)})

    def drop_router(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/routers", known.routers)

    def make_floating_ip(self, who: str, known: Known) -> None:
        values: dict[str, Any] = {"floating_network_id": self.public_network}
        port = self._one(known.ports)
        if port is not None and self.rng.random() < 0.5:
            values["port_id"] = port
        self._make(who, f"{NETWORK}/floatingips", "floatingip", values, known.floating_ips)

    def move_floating_ip(self, who: str, known: Known) -> None:
        id = self._one(known.floating_ips)
        if id is not None:
            port = self._one(known.ports) if self.rng.random() < 0.8 else None
            self.ask(who, "PUT", f"{NETWORK}/floatingips/{id}", {"floatingip": {"port_id": port}})

    def drop_floating_ip(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/floatingips", known.floating_ips)

    def make_group(self, who: str, known: Known) -> None:
        if len(known.groups) < 4:
            values = {"name": self._name("group")}
            self._make(who, f"{NETWORK}/security-groups", "security_group", values, known.groups)

    def make_rule(self, who: str, known: Known) -> None:
        group = self._one(known.groups)
        if group is not None:
            port = self.rng.randrange(1, 2000)
            values: dict[str, Any] = {"security_group_id": group, "direction": "ingress", "protocol": "tcp",
                                      "port_range_min": port, "port_range_max": port}  # fmt: skip
            if self.rng.random() < 0.4:
                values["remote_group_id"] = self._one(known.groups)
            self._make(who, f"{NETWORK}/security-group-rules", "security_group_rule", values, known.rules)

    def drop_rule(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/security-group-rules", known.rules)

    def drop_group(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/security-groups", known.groups)

    # -- images ----------------------------------------------------------------------------------------------------

    def make_image(self, who: str, known: Known) -> None:
        body = {"name": self._name("image"), "disk_format": "raw", "container_format": "bare"}
        reply = self.ask(who, "POST", f"{IMAGE}/images", body)
        if reply.status == 201:
            known.images.append(reply.body["id"])
            self.world.upload(reply.body["id"], self._fill)

    def drop_image(self, who: str, known: Known) -> None:
        self._drop(who, f"{IMAGE}/images", known.images)

    # -- operators -------------------------------------------------------------------------------------------------

    def _project(self) -> str:
        return self.world.ground.projects[self.rng.choice(TENANTS)]

    def set_compute_quota(self) -> None:
        values = self.rng.choice(({"instances": self.rng.randrange(1, 9)}, {"cores": self.rng.randrange(4, 20)}))
        self.ask("admin", "PUT", f"{COMPUTE}/os-quota-sets/{self._project()}", {"quota_set": values})

    def set_network_quota(self) -> None:
        values = {"port": self.rng.randrange(2, 16), "floatingip": self.rng.randrange(0, 5)}
        self.ask("admin", "PUT", f"{NETWORK}/quotas/{self._project()}", {"quota": values})

    def list_everything(self) -> None:
        for path in (f"{COMPUTE}/servers/detail?all_tenants=1", f"{COMPUTE}/os-hypervisors/detail", f"{NETWORK}/ports",
                     f"{COMPUTE}/os-services", f"{NETWORK}/routers", f"{IMAGE}/images"):  # fmt: skip
            self.ask("admin", "GET", path)

    def reset(self) -> None:
        known = self.known[self.rng.choice(TENANTS)].servers
        if known and self.rng.random() < 0.3:
            body = {"os-resetState": {"state": self.rng.choice(("active", "error"))}}
            self.ask("admin", "POST", f"{COMPUTE}/servers/{self.rng.choice(known)}/action", body)

    # -- the end ---------------------------------------------------------------------------------------------------

    def delete_everything(self) -> list[str]:
        """As a careful user would, in an order that works; returns what was refused."""
        refused = []
        for tenant in TENANTS:
            for path, root in ENDINGS:
                refused += self._delete_all(tenant, path, root)
        return refused

    def _delete_all(self, tenant: str, path: str, root: str) -> list[str]:
        refused = []
        reply = self.ask(tenant, "GET", path)
        for one in reply.body[root]:
            if root == "routers":
                self._unplug(tenant, one["id"])
            if root == "ports" and one["device_owner"]:
                continue
            if root == "networks" and one["id"] == self.public_network:
                continue
            if root == "servers":
                self.ask(tenant, "POST", f"{path}/{one['id']}/action", {"unlock": None})
            reply = self.ask(tenant, "DELETE", f"{path}/{one['id']}")
            if reply.status not in (204, 404):
                refused.append(f"{path}/{one['id']}: {reply.status} {reply.content[:300]!r}")
        return refused

    def _unplug(self, tenant: str, router: str) -> None:
        ports = self.ask(tenant, "GET", f"{NETWORK}/ports?device_id={router}").body["ports"]
        for port in ports:
            if port["device_owner"] == "network:router_interface":
                body = {"port_id": port["id"]}
                self.ask(tenant, "PUT", f"{NETWORK}/routers/{router}/remove_router_interface", body)


ENDINGS = (
    (f"{COMPUTE}/servers", "servers"), (f"{NETWORK}/floatingips", "floatingips"), (f"{NETWORK}/routers", "routers"),
)  # fmt: skip
LATE_ENDINGS = ((f"{NETWORK}/ports", "ports"), (f"{NETWORK}/networks", "networks"))

WEIGHTS: dict[str, float] = {
    "boot": 6, "boot_and_regret": 2,
     "act": 10, "delete_server": 4, "find_servers": 2, "rename_server": 2, "make_key": 0.5, "drop_key": 0.3,
    "tag_server": 1, "make_network": 2, "make_subnet": 1, "change_subnet": 1, "drop_subnet": 0.5, "drop_network": 0.5,
    "rename_network": 2, "make_port": 3, "change_port": 3, "drop_port": 1.5, "find_ports": 1, "make_router": 1,
    "plug_router": 3, "change_router": 1.5, "drop_router": 0.5, "make_floating_ip": 2, "move_floating_ip": 2,
    "drop_floating_ip": 1, "make_group": 1, "make_rule": 1.5, "drop_rule": 0.7, "drop_group": 0.4, "make_image": 0.5,
    "drop_image": 0.3,
}  # fmt: skip
"""How often clients do what."""

Action = Callable[[Workload, str, Known], None]
