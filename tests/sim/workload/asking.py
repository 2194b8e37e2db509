"""How people ask: by name, through the wire, and with what the project's clients know."""

from dataclasses import dataclass, field
from typing import Any

from tests.sim.ground import TENANTS
from tests.sim.registers import Registers
from tests.sim.wire import Reply
from tests.sim.words import Words
from tests.sim.workload.once import Once
from tests.sim.world import World


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


class Asking:
    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng
        self.known = {tenant: Known() for tenant in TENANTS}
        self.registers = Registers(world)
        self.once = Once(world)
        self.atlas = world.ground.atlas.copy()
        self.stopping = False
        self.public_network = ""
        self.image = ""
        self.count = 0
        self.answers: dict[str, int] = {}
        self.words = Words(self.atlas, world.rng, self._name, world.ground.users, world.ground.projects)

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request with everything that may happen to it. `who` is one of the known people, or a token. A POST may be
        sent with a key, and sent again."""
        if method == "POST" and self.once.fits(path, body) and self.rng.random() < 0.3:
            reply = self.once.ask(self._ask, who, path, body, headers)
        else:
            reply = self._ask(who, method, path, body, **headers)
        self.atlas.learn(who, method, path, body, reply)
        return reply

    def _ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
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
        if id is None:
            return
        status = self.ask(who, "DELETE", f"{path}/{id}").status
        if status == 204 and not path.endswith("/servers"):
            self.registers.deleted(f"{path}/{id}")
        if status in (204, 404) and id in known:
            known.remove(id)
        if status == 204 and not path.endswith("/servers") and self.rng.random() < 0.5:
            self.registers.look_for_gone(self, who, f"{path}/{id}")
