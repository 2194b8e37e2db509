"""A random life of claims, releases and changing inventories: what is used is what is held, never above capacity."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pilvi.kernel import ids
from pilvi.kernel.db import Database
from pilvi.kernel.errors import Conflict
from pilvi.placement import facade

HOSTS = st.integers(0, 1)
AMOUNTS = st.integers(1, 6)


class Claims(RuleBasedStateMachine):
    """The model keeps who holds what; the database must agree after every step."""

    database: Database

    @initialize(totals=st.lists(st.integers(0, 12), min_size=2, max_size=2))
    def furnish(self, totals: list[int]) -> None:
        self.hosts = [ids.uuid() for _ in totals]
        self.capacity: dict[str, int] = {}
        self.held: dict[str, dict[str, int]] = {}
        for host, total in zip(self.hosts, totals, strict=True):
            self._offer(host, total)

    def _offer(self, host: str, total: int) -> None:
        stock = {"VCPU": facade.Inventory(total), "DISK_GB": facade.Inventory(100)}
        self.database.write(lambda tx: facade.ensure_provider(tx, name=host, uuid=host, inventories=stock))
        self.capacity[host] = total

    def _claim(self, consumer: str, wanted: dict[str, int]) -> bool:
        resources = {host: {"VCPU": amount, "DISK_GB": 1} for host, amount in wanted.items()}

        def work(tx: Any) -> None:
            facade.claim(
                tx, consumer_id=consumer, project_id="p", user_id="u", consumer_type="INSTANCE", resources=resources
            )

        try:
            self.database.write(work)
        except Conflict:
            return False
        return True

    def _used(self, host: str, but: str = "") -> int:
        return sum(held.get(host, 0) for consumer, held in self.held.items() if consumer != but)

    @rule(host=HOSTS, amount=AMOUNTS)
    def claim(self, host: int, amount: int) -> None:
        consumer, where = ids.uuid(), self.hosts[host]
        fits = self._used(where) + amount <= self.capacity[where]
        assert self._claim(consumer, {where: amount}) == fits
        if fits:
            self.held[consumer] = {where: amount}

    @rule(one=AMOUNTS, two=AMOUNTS)
    def claim_of_both_is_all_or_nothing(self, one: int, two: int) -> None:
        consumer, wanted = ids.uuid(), dict(zip(self.hosts, (one, two), strict=True))
        fits = all(self._used(host) + amount <= self.capacity[host] for host, amount in wanted.items())
        assert self._claim(consumer, wanted) == fits
        if fits:
            self.held[consumer] = wanted

    def _one_of_them(self, number: int) -> str:
        """Not drawn from what is held: who wins when many claim at once is not ours to say."""
        return list(self.held)[number % len(self.held)]

    @rule(number=st.integers(0, 50), host=HOSTS, amount=AMOUNTS)
    def move_or_resize(self, number: int, host: int, amount: int) -> None:
        if not self.held:
            return
        consumer, where = self._one_of_them(number), self.hosts[host]
        before = self.held[consumer].get(where, 0)
        fits = amount < before or self._used(where, but=consumer) + amount <= self.capacity[where]
        assert self._claim(consumer, {where: amount}) == fits
        if fits:
            self.held[consumer] = {where: amount}

    @rule(number=st.integers(0, 50))
    def release(self, number: int) -> None:
        if self.held:
            consumer = self._one_of_them(number)
            self.database.write(lambda tx: facade.release(tx, consumer))
            del self.held[consumer]

    @rule(host=HOSTS, total=st.integers(0, 12))
    def change_what_there_is(self, host: int, total: int) -> None:
        self._offer(self.hosts[host], total)

    @rule(amounts=st.lists(AMOUNTS, min_size=2, max_size=6), host=HOSTS)
    def many_at_once(self, amounts: list[int], host: int) -> None:
        where = self.hosts[host]
        consumers = [ids.uuid() for _ in amounts]
        with ThreadPoolExecutor(len(amounts)) as pool:
            won = list(
                pool.map(lambda pair: self._claim(pair[0], {where: pair[1]}), zip(consumers, amounts, strict=True))
            )
        for consumer, amount, is_won in zip(consumers, amounts, won, strict=True):
            if is_won:
                self.held[consumer] = {where: amount}

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "hosts"):
            return
        found = {p.uuid: p for p in self.database.read(facade.providers_snapshot) if p.uuid in self.hosts}
        for host in self.hosts:
            vcpus = found[host].inventories["VCPU"]
            assert vcpus.used == self._used(host)
            assert vcpus.free == self.capacity[host] - vcpus.used
        for consumer, held in self.held.items():
            shown = self.database.read(lambda tx, c=consumer: facade.held_by(tx, c))
            assert {host: amounts["VCPU"] for host, amounts in shown.items()} == held


def test_the_books_are_right_whatever_happens(database: Database) -> None:
    machine = type("ClaimsHere", (Claims,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
