"""Known bugs, planted into the real code one at a time: a simulation that cannot find them would prove nothing.

`found.golden.json` says which seed finds which, and by which invariant; tests/sim/test_planted.py holds it to that.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

import sqlalchemy as sa

from pilvi.agent import process as agent_process
from pilvi.compute.servers.host.loop import HostServers
from pilvi.compute.servers.service import actions, reports
from pilvi.identity.epochs import service as epochs
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.users import service as users
from pilvi.image.image_data import reconcile as image_data_loop
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.image_data.stream import ImageStreams
from pilvi.image.images.model import Status
from pilvi.kernel import clock, idempotency, work
from pilvi.kernel.errors import Unavailable
from pilvi.network.addresses import service as addresses
from pilvi.network.floating_ips import service as floating_ips
from pilvi.network.networks import policy
from pilvi.network.networks import service as networks
from pilvi.network.networks import store as networks_store
from pilvi.network.ports import service as ports
from pilvi.network.ports import store as ports_store
from pilvi.network.ports.service import binding
from pilvi.network.quotas import service as quotas
from pilvi.network.security_groups import service as groups
from pilvi.placement import facade as placement
from pilvi.placement.inventories import service as inventories
from pilvi.placement.inventories import store as inventories_store
from tests.sim.database import SimDatabase


@dataclass(frozen=True)
class Planted:
    about: str
    swaps: tuple[tuple[Any, str, Any], ...]
    """Object, name of its attribute, what it becomes (made anew for every run where it is a class)."""
    only: str = ""
    """The invariant that alone can see it."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for target, name, value in self.swaps:
                if isinstance(value, type):
                    value = value()
                stack.enter_context(mock.patch.object(target, name, value))
            yield


def _nothing(*_: Any, **__: Any) -> None:
    return


# ---- the pieces that are swapped in --------------------------------------------------------------------------------

_give_back, _outcome, _count_ports = inventories.give_back, reports.outcome, quotas.usage["port"]


def _give_back_twice(tx: Any, provider: str, resource_class: str, amount: int) -> None:
    _give_back(tx, provider, resource_class, amount)
    _give_back(tx, provider, resource_class, amount)


def _outcome_of_any_generation(server: Any, report: Any, now: str) -> Any:
    return _outcome(server, replace(report, generation=max(report.generation, server.generation)), now)


class _CountOfBefore:
    """What a project used when it was last counted, at most five seconds ago."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[float, int]] = {}

    def __call__(self, tx: Any, project_id: str) -> int:
        at, count = self.known.get(project_id, (-10.0, 0))
        if not 0.0 <= clock.monotonic() - at < 5.0:
            count = _count_ports(tx, project_id)
            self.known[project_id] = (clock.monotonic(), count)
        return count


class _UsageOfBefore(dict[str, Any]):
    def __init__(self) -> None:
        super().__init__(quotas.usage | {"port": _CountOfBefore()})


def _finish_whatever_came(tx: Any, item: work.Item, owner: str) -> None:
    tx.execute(work.work.delete().where(work.work.c.kind == item.kind, work.work.c.key == item.key))


def _claim_without_a_look_at_leases(tx: Any, kinds: list[str], owner: str, *, lease_s: float, limit: int) -> Any:
    table, now = work.work, clock.now()
    columns = (table.c.kind, table.c.key, table.c.pokes, table.c.attempts, table.c.since, table.c.request_id)
    query = sa.select(*columns).where(table.c.due_at <= now, table.c.kind.in_(kinds)).order_by(table.c.due_at)
    items = tx.all(query.limit(limit), work.Item)
    for item in items:
        mine = table.update().where(table.c.kind == item.kind, table.c.key == item.key)
        tx.execute(mine.values(lease_until=now + lease_s, owner=owner))
    return items


def _due_without_a_look_at_leases(tx: Any, kinds: list[str]) -> float | None:
    found = tx.scalar(sa.select(sa.func.min(work.work.c.due_at)).where(work.work.c.kind.in_(kinds)))
    return None if found is None else float(found)


def _pull_and_act_first(self: Any) -> None:
    if not self._announced:
        return
    known = int(self._state["revision"]) if self._state and not self._was_away else None
    try:
        fresh = self.control.state(known)
    except agent_process.Unreachable as error:
        self._away(error)
        return
    if fresh is not None and fresh.get("complete") and fresh != self._state:
        self._state = fresh
        self._apply(fresh)
        if self.servers.wait_idle(0.0):
            self._remember(fresh)


def _turn_over_busy_guests(self: HostServers) -> None:
    self._busy.clear()
    _turn(self)


_turn = HostServers.turn


def _binding_without_addresses(tx: Any, port: Any, host: str) -> Any:
    """A router's legs stay where they are."""
    return port if port.device_owner.startswith("network:") else _bind(tx, port, host)


_bind = ports.bind


def _release_later(tx: Any, consumer_id: str) -> bool:
    """In a transaction of its own, as if the first had to be durable before."""
    tx.after_commit(lambda: SimDatabase.latest.write(lambda later: placement_release(later, consumer_id)))
    return True


placement_release = placement.release


class _OvertakenChange:
    """A change that comes soon after another one of the same network is acknowledged, and lost."""

    def __init__(self) -> None:
        self.changed: dict[str, float] = {}

    def __call__(self, tx: Any, id: str, changes: Any) -> None:
        now, former = clock.monotonic(), self.changed.get(id, -100.0)
        self.changed[id] = now
        if not 0.0 <= now - former < 20.0:
            _change_network(tx, id, changes)


_change_network, _show_network, _change_port = networks_store.change, networks.show, ports_store.change


class _ShownBefore:
    """A process shows a network as it was when it looked last, at most twenty seconds ago."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, str], tuple[float, Any]] = {}

    def __call__(self, ctx: Any, tx: Any, id: str) -> Any:
        at, shown = self.known.get((tx.dialect, id), (-100.0, None))
        if tx.writes or not 0.0 <= clock.monotonic() - at < 20.0:
            shown = _show_network(ctx, tx, id)
            self.known[tx.dialect, id] = (clock.monotonic(), shown)
        else:
            policy.SHOW.check(ctx, project_id=ctx.project_id)
        return shown


def _change_port_later(tx: Any, id: str, changes: Any) -> None:
    """The answer is on its way when the row is written."""
    database, name = SimDatabase.latest, changes.get("name")
    scheduler = database.scheduler
    if name is None or scheduler is None:
        return _change_port(tx, id, changes)

    def write() -> None:
        scheduler.sleep(2.0)
        with suppress(Unavailable):
            database.write(lambda later: _change_port(later, id, {"name": name}))

    tx.after_commit(lambda: scheduler.spawn("later", write, scheduler.process))
    return _change_port(tx, id, {key: value for key, value in changes.items() if key != "name"} or {"id": id})


async def _told_before_it_is_kept(
    self: Any, ctx: Any, transfer: Any, sink: Any, arrived: Any = lambda _: None
) -> None:  # fmt: skip
    received = Received(sink.size, sink.size, sink.md5, sink.sha512)

    def finish(tx: Any) -> None:
        image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,))
        arrived(tx)

    await self.live.write(finish)
    await self._in_thread(sink.keep)


def _taken_and_not_counted(*_: Any) -> bool:
    return True


def _carried_out_again(self: Any, tx: Any, ctx: Any, carry_out: Any) -> Any:
    return carry_out()


_WITHOUT_BUMP = SimpleNamespace(bump=_nothing, cached=epochs.cached)
LINEARIZABLE = "answers are linearizable"


PLANTED: dict[str, Planted] = {
    "gives back twice": Planted(
        "Releasing a claim is not idempotent: what was held is given back twice.",
        ((inventories, "give_back", _give_back_twice),),
    ),
    "forgets the claim": Planted(
        "A server that goes keeps its claim on the host.", ((placement, "release", _nothing),)
    ),
    "releases after the commit": Planted(
        "A server's claim is given back in a second transaction.", ((placement, "release", _release_later),)
    ),
    "counts before": Planted(
        "Use is counted once and trusted for a while, not in the transaction that asks.",
        ((quotas, "usage", _UsageOfBefore),),
    ),
    "drops the fence": Planted(
        "A report about an older generation counts as one about the present one.",
        ((reports, "outcome", _outcome_of_any_generation),),
    ),
    "does not tell the host": Planted(
        "An action changes what is wanted and forgets the host's revision.",
        ((actions, "hosts", SimpleNamespace(changed=_nothing)),),
    ),
    "does not tell about rules": Planted(
        "New rules of a security group do not reach the hosts.", ((groups, "changed", []),)
    ),
    "watches nothing": Planted(
        "An action leaves no row in the work table: its wake-up may be lost for good.",
        ((actions, "work", SimpleNamespace(poke=_nothing)),),
    ),
    "finishes what was poked": Planted(
        "A loop that ends deletes its row although somebody poked it meanwhile.",
        ((work, "finish", _finish_whatever_came),),
    ),
    "ignores leases": Planted(
        "A runner takes keys that another one holds.",
        ((work, "claim", _claim_without_a_look_at_leases), (work, "next_due", _due_without_a_look_at_leases)),
    ),
    "remembers when idle": Planted(
        "The agent acts on a new state and writes it to disk only when it has nothing to do.",
        ((agent_process.Agent, "_pull", _pull_and_act_first),),
    ),
    "two at one guest": Planted(
        "The host does not wait for the worker that is at a guest already.",
        ((HostServers, "turn", _turn_over_busy_guests),),
    ),
    "keeps addresses": Planted(
        "A port that goes leaves its addresses taken.", ((addresses, "release", _nothing),)
    ),
    "lets floating IPs dangle": Planted(
        "A floating IP goes on pointing to a port that is gone.",
        ((ports, "removing", []), (floating_ips, "_let_go", _nothing)),
    ),
    "leaves legs behind": Planted(
        "A router's ports are not bound to the router's host.",
        ((ports, "bind", _binding_without_addresses), (binding, "bind", _binding_without_addresses)),
    ),
    "loses an update": Planted(
        "Of two changes of a network soon after each other the second is acknowledged, and lost.",
        ((networks_store, "change", _OvertakenChange),), only=LINEARIZABLE,
    ),
    "shows what was": Planted(
        "A process keeps networks in memory, and does not hear when another one changes them.",
        ((networks, "show", _ShownBefore),), only=LINEARIZABLE,
    ),
    "answers before the commit": Planted(
        "The new name of a port is written once the answer is on its way.",
        ((ports_store, "change", _change_port_later),), only=LINEARIZABLE,
    ),
    "rights outlive their end": Planted(
        "Whoever is disabled or deleted, or loses a role, is still known by the processes that have seen them.",
        ((users, "epochs", _WITHOUT_BUMP), (role_assignments, "epochs", _WITHOUT_BUMP)),
        only="what was taken away is gone",
    ),
    "carries out again": Planted(
        "A key that was used already carries the request out once more.",
        ((idempotency.Claim, "once", _carried_out_again),),
    ),
    "active before it is whole": Planted(
        "An image is active before its bytes have their place.",
        ((ImageStreams, "_keep", _told_before_it_is_kept),), only="images are there",
    ),
    "leaves bytes behind": Planted(
        "Bytes of images that are gone stay in the stores.", ((image_data_loop, "_tidy_place", _nothing),)
    ),
    "does not count claims": Planted(
        "What servers and an operator's tool take of a host is not counted there.",
        ((inventories_store, "take", _taken_and_not_counted),),
    ),
}  # fmt: skip
