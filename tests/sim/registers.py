"""Whether answers are linearizable: an attribute of a resource is a register that several clients write and read.

Every write has a value of its own. A read may return the value of a write that was under way, or of the last that was
acknowledged, and never an older one; and reads do not go back in time. (Writes without an answer stay under way.)
"""

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.workload import Workload
    from tests.sim.world import World


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


class Registers:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._histories: dict[str, History] = {}

    def exercise(self, load: "Workload", who: str, path: str, root: str, attribute: str, id: str | None) -> None:
        if id is None:
            return
        if load.rng.random() < 0.5:
            self._write(load, who, f"{path}/{id}", root, attribute)
        else:
            self._read(load, who, f"{path}/{id}", root, attribute)

    def _write(self, load: "Workload", who: str, path: str, root: str, attribute: str) -> None:
        history = self._histories.setdefault(path, History())
        write = Write(load._name("name"), self._world.scheduler.now)
        history.writes[write.value] = write
        reply = load.ask(who, "PUT", path, {root: {attribute: write.value}})
        if reply.status == 200:
            write.ended = self._world.scheduler.now
        elif reply.status < 500:
            del history.writes[write.value]

    def _read(self, load: "Workload", who: str, path: str, root: str, attribute: str) -> None:
        began = self._world.scheduler.now
        reply = load.ask(who, "GET", path)
        if reply.status == 200:
            read = Read(str(reply.body[root][attribute]), began, self._world.scheduler.now)
            history = self._histories.setdefault(path, History())
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
