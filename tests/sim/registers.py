"""Whether answers are linearizable: an attribute of a resource is a register that several clients write and read.

Every write has a value of its own. A read may return the value of a write that was under way, or of the last that was
acknowledged, and never an older one; and reads do not go back in time. (Writes without an answer stay under way.)
What was deleted is not there afterwards.
"""

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.sim.workload.asking import Asking
    from tests.sim.world import World

JSON_PATCH = "application/openstack-images-v2.1-json-patch"


@dataclass
class Write:
    value: str
    began: float
    ended: float = inf


@dataclass
class Read:
    value: str
    began: float
    ended: float


@dataclass
class History:
    writes: dict[str, Write] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    gone_at: float = inf
    """When its deletion was acknowledged."""


class Registers:
    """Nobody else may write what is exercised here, or their values would count as those from the start."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._histories: dict[str, History] = {}
        self.reads = 0

    def exercise(
        self, load: "Asking", who: str, path: str, root: str, id: str | None, attribute: str = "name"
    ) -> None:  # fmt: skip
        """Write or read one; `root` is the name of the resource in bodies."""
        if id is None:
            return
        if load.rng.random() < 0.5:
            self._write(load, who, f"{path}/{id}", root, attribute)
        elif load.rng.random() < 0.6:
            self._read(load, who, f"{path}/{id}", root, attribute)
        else:
            self._read_list(load, who, path, root, attribute, id)

    def deleted(self, path: str) -> None:
        """An answer said so. Not for what goes in its own time."""
        history = self._histories.setdefault(path, History())
        history.gone_at = min(history.gone_at, self._world.scheduler.now)

    def look_for_gone(self, load: "Asking", who: str, path: str) -> None:
        if load.ask(who, "GET", path).status == 200:
            self._complain(path, "it was deleted before the read began, which saw it")

    def _write(self, load: "Asking", who: str, path: str, root: str, attribute: str) -> None:
        history = self._histories.setdefault(path, History())
        write = Write(load._name("name"), self._world.scheduler.now)
        history.writes[write.value] = write
        if root == "image":
            change = [{"op": "replace", "path": f"/{attribute}", "value": write.value}]
            reply = load.ask(who, "PATCH", path, change, Content_Type=JSON_PATCH)
        else:
            reply = load.ask(who, "PUT", path, {root: {attribute: write.value}})
        if reply.status == 200:
            write.ended = self._world.scheduler.now
        elif reply.status < 500:
            del history.writes[write.value]

    def _read(self, load: "Asking", who: str, path: str, root: str, attribute: str) -> None:
        began = self._world.scheduler.now
        reply = load.ask(who, "GET", path)
        if reply.status == 200:
            self._saw(path, reply.body if root == "image" else reply.body[root], attribute, began)

    def _read_list(self, load: "Asking", who: str, path: str, root: str, attribute: str, id: str) -> None:
        began = self._world.scheduler.now
        reply = load.ask(who, "GET", path)
        if reply.status == 200:
            entries: list[dict[str, Any]] = next(value for value in reply.body.values() if isinstance(value, list))
            for entry in entries:
                if entry["id"] == id:
                    self._saw(f"{path}/{id}", entry, attribute, began)

    def _saw(self, path: str, shown: dict[str, Any], attribute: str, began: float) -> None:
        read = Read(str(shown[attribute]), began, self._world.scheduler.now)
        history = self._histories.setdefault(path, History())
        self.reads += 1
        if history.gone_at < began:
            self._complain(path, "it was deleted before the read began, which saw it")
        self._judge(path, history, read)
        history.reads.append(read)

    def _judge(self, path: str, history: History, read: Read) -> None:
        source = history.writes.get(read.value)
        over = -inf if source is None else source.ended
        # A name that nobody wrote is the one that the resource was made with.
        for write in history.writes.values():
            if write.value != read.value and write.began > over and write.ended < read.began:
                self._complain(path, f"{write.value} was acknowledged before the read began, which saw {read.value}")
        for former in history.reads:
            newer = history.writes.get(former.value)
            if newer is not None and former.ended < read.began and newer.began > over and former.value != read.value:
                self._complain(path, f"{former.value} had been read before, then {read.value}")

    def _complain(self, path: str, text: str) -> None:
        self._world.violate("answers are linearizable", f"{path}: {text}")
