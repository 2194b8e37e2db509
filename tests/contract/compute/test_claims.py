"""Claims under concurrency: whatever is asked at once, no host and no project gets more than there is for it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.contract.client import Client
from tests.contract.compute.conftest import FACTS, Boot

MEMORY_MIB, RESERVED_MIB, GUEST_MIB = 2048, 512, 192
QUOTA = {"member": 5, "stranger": 6}
"""Together more than the host's room for 8."""


@dataclass(frozen=True)
class Create:
    who: str
    least: int
    most: int


@dataclass(frozen=True)
class Delete:
    place: int
    """Which of the servers that are there, counted round."""


orders = st.one_of(
    st.builds(Create, st.sampled_from(list(QUOTA)), st.integers(1, 2), st.integers(2, 4)),
    st.builds(Delete, st.integers(0, 20)),
)


class Claims(RuleBasedStateMachine):
    """Batches of requests, each batch at once from four threads."""

    boot: Boot

    def _servers(self) -> list[dict[str, Any]]:
        admin = self.boot.cloud.as_admin()
        found: list[dict[str, Any]] = admin.get("/servers/detail?all_tenants=1", microversion="2.47").body["servers"]
        return found

    @rule(batch=st.lists(orders, min_size=1, max_size=5))
    def at_once(self, batch: list[Create | Delete]) -> None:
        there = [server["id"] for server in self._servers()]
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda order: self._ask(order, there), batch))
        assert {reply for reply in replies if reply is not None} <= {202, 204, 403, 404, 409}

    def _ask(self, order: Create | Delete, there: list[str]) -> int | None:
        if isinstance(order, Delete):
            return (
                self.boot.cloud.as_admin().delete(f"/servers/{there[order.place % len(there)]}").status
                if there
                else None
            )
        client = self.boot.cloud.as_(order.who)
        reply = self.boot.ask("s", who=client, networks="none", min_count=order.least, max_count=order.most)
        status: int = reply.status
        return status

    @rule()
    def the_host_works(self) -> None:
        self.boot.node.turn()

    @invariant()
    def no_host_holds_more_than_it_has(self) -> None:
        placed = [s for s in self._servers() if s["OS-EXT-SRV-ATTR:host"]]
        assert len(placed) * GUEST_MIB <= MEMORY_MIB - RESERVED_MIB
        (host,) = self.boot.cloud.as_admin().get("/os-hypervisors/detail").body["hypervisors"]
        assert host["memory_mb_used"] == len(placed) * GUEST_MIB

    @invariant()
    def no_project_has_more_than_it_may(self) -> None:
        for who, most in QUOTA.items():
            absolute = self.boot.cloud.as_(who).get("/limits").body["limits"]["absolute"]
            assert absolute["totalInstancesUsed"] <= most
            assert absolute["totalRAMUsed"] == absolute["totalInstancesUsed"] * GUEST_MIB

    @invariant()
    def who_found_no_room_was_told_so(self) -> None:
        for server in self._servers():
            if server["OS-EXT-SRV-ATTR:host"] is None:
                assert "less than that is free" in server["fault"]["message"]

    def teardown(self) -> None:
        for server in self._servers():
            self.boot.cloud.as_admin().delete(f"/servers/{server['id']}")
        self.boot.node.turn()
        assert self._servers() == []


def test_no_host_and_no_project_ever_exceeds_its_limit(cloud: Client, boot: Boot) -> None:
    boot.node.report(host=FACTS | {"memory_mib": MEMORY_MIB})
    for who, project in (("member", "demo"), ("stranger", "other")):
        body = {"quota_set": {"instances": QUOTA[who]}}
        assert cloud.as_admin().put(f"/os-quota-sets/{cloud.facts[project]}", body).status == 200
    machine = type("ClaimsOfThisCloud", (Claims,), {"boot": boot})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=6, deadline=None, suppress_health_check=list(HealthCheck), database=None
        ),
    )


def test_writers_at_once_get_what_the_quota_leaves_and_no_more(cloud: Client, boot: Boot) -> None:
    most = 4
    path = f"/os-quota-sets/{cloud.facts['demo']}"
    assert cloud.as_admin().put(path, {"quota_set": {"instances": most}}).status == 200
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: boot.ask(f"s{n}").status, range(10)))
    assert (statuses.count(202), statuses.count(403)) == (most, 10 - most)
    assert len(cloud.get("/servers").body["servers"]) == most
