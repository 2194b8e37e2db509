"""Tenants and operators who do everything that the API offers, several of a project at once, and who look what became
of it."""

from collections.abc import Callable
from typing import Any

import orjson

from pilvi.image.drivers.file import FileStore
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import internal
from tests.sim.ground import TENANTS
from tests.sim.paths import COMPUTE, IMAGE, NETWORK
from tests.sim.wire import Lost, call
from tests.sim.workload.asking import Known
from tests.sim.workload.compute import FLAVORS, ComputeActions
from tests.sim.workload.delegations import DelegationActions
from tests.sim.workload.endings import Endings
from tests.sim.workload.images import ImageActions, content_of
from tests.sim.workload.network import NetworkActions
from tests.sim.world import World


class Workload(
    ComputeActions, NetworkActions, ImageActions, DelegationActions, Endings
):  # fmt: skip
    def __init__(self, world: World, clients: int = 4) -> None:
        super().__init__(world)
        self.clients = clients
        self.pause_s = self.rng.choice((0.1, 0.3, 1.0))
        self.is_hurried = False
        self.busy = 0
        """Clients that have not come to their end."""

    def looks(self) -> dict[str, int]:
        """How often it was looked at what only answers show: a run that never looks proves nothing."""
        return {"rights": self.rights_checked, "replays": self.once.replays, "registers": self.registers.reads}

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
        for tenant in TENANTS:
            if self.rng.random() < 0.5:
                quota = {"port": self.rng.randrange(4, 10), "floatingip": self.rng.randrange(1, 4)}
                self._directly("PUT", f"{NETWORK}/quotas/{self.world.ground.projects[tenant]}", {"quota": quota})
        self.image = self._directly("POST", f"{IMAGE}/images", body)["id"]
        self._fill(self.image)
        self.prepare()

    def _directly(self, method: str, path: str, body: Any) -> Any:
        headers = {"X-Auth-Token": self.world.ground.tokens["admin"]}
        reply = call(self.world.ground.app, method, path, orjson.dumps(body), headers)
        assert reply.status < 300, (path, reply.content)
        return reply.body

    def _fill(self, image_id: str) -> None:
        """The first image has its bytes before anything can go wrong."""
        ctx, database, store = internal("req-live"), self.world.database, self.world.stores.default
        transfer = database.write(lambda tx: image_data.begin(ctx, tx, image_id, store=store.id))
        sink = FileStore(store.directory).receive(image_id, transfer.upload_id)
        self.world.disk.fill(sink, content_of(image_id))
        received = Received(sink.size, sink.size, sink.md5, sink.sha512)
        database.write(lambda tx: image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,)))

    # -- clients ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for number in range(self.clients):
            tenant = TENANTS[number % 2] if number < 3 else TENANTS[number % len(TENANTS)]
            self._spawn(f"client-{number} {tenant}", lambda tenant=tenant: self._go_on(tenant))
        for name, (actions, pause_s) in self._operators().items():
            self._spawn(f"client-{name}", lambda actions=actions, pause_s=pause_s: self._administrate(actions, pause_s))

    def _operators(self) -> dict[str, tuple[tuple[Callable[[], None], ...], float]]:
        """People beside the tenants: what they do, and how long they rest."""
        quotas = (self.set_compute_quota, self.set_network_quota, self.list_everything, self.reset, self.pause_a_host,
                  self.look_at_a_screen, self.look_at_a_screen, self.force_delete)  # fmt: skip
        books = (
            self.keep_books,
            self.keep_books,
            self.take_from_a_host,
            self.replay_something,
            self.limit_something,
            self.use_the_cache,
            self.share_a_flavor,
            self.share_a_network,
        )
        friends = (self.sign_for_amazon, self.dance, self.let_a_robot_do_little)
        return {
            "admin": (quotas, 6.0), "books": (books, 4.0), "reader": ((self.read_something,), 2.0),
            "writer": ((self.write_something,), 1.5), "deleter": ((self.delete_something,), 2.0),
            "rights": ((self.give_and_take,), 3.0), "friends": (friends, 2.0),
            "namer": ((self.name_something,), 0.7), "other namer": ((self.name_something,), 0.7),
        }  # fmt: skip

    def name_something(self) -> None:
        """Several at a few things: what one writes the other reads."""
        tenant = TENANTS[self.rng.randrange(2)]
        self.rng.choice((self.rename_server, self.rename_network, self.rename_port, self.rename_router,
                         self.rename_group, self.rename_image))(tenant, self.known[tenant])  # fmt: skip

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

    def _administrate(self, actions: tuple[Callable[[], None], ...], pause_s: float) -> None:
        while not self.stopping:
            self.world.scheduler.sleep(self.rng.expovariate((10.0 if self.is_hurried else 1.0) / pause_s))
            try:
                self.rng.choice(actions)()
            except Lost:
                continue


WEIGHTS: dict[str, float] = {
    "boot": 6, "boot_and_regret": 2, "act": 9, "rest_for_a_while": 1.5, "make_image_of_server": 1.5,
    "delete_server": 4, "find_servers": 2, "rename_server": 2,
    "make_key": 0.5, "drop_key": 0.3, "tag_server": 1, "make_network": 2, "make_subnet": 1, "change_subnet": 1,
    "drop_subnet": 0.5, "drop_network": 0.5, "rename_network": 2, "make_port": 3, "change_port": 3, "drop_port": 1,
    "drop_port_with_address": 0.7,
    "find_ports": 1, "make_router": 1, "plug_router": 3, "change_router": 1.5, "drop_router": 0.5,
    "make_floating_ip": 2, "move_floating_ip": 2, "drop_floating_ip": 1, "make_group": 1, "make_rule": 1.5,
    "drop_rule": 0.7, "drop_group": 0.4, "make_image": 1.0, "make_image_by_import": 1.5, "copy_image": 0.7,
    "drop_a_copy": 0.5,
    "read_image": 0.5, "change_image": 0.3, "share_image": 0.5, "rename_image": 0.7, "drop_image": 0.5,
    "rename_port": 1, "rename_router": 0.7, "rename_group": 0.7,
}  # fmt: skip
"""How often clients do what."""

Action = Callable[[Workload, str, Known], None]
