"""A machine on which everything goes wrong for a while, on purpose. Then it is quiet, and everything must be right.

PILVI_CHAOS_SEED=N chooses other faults, PILVI_CHAOS_FAULTS=N more of them (100 and more for a night).
"""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.chaos import Chaos, Churn, small_disk
from tests.e2e.site import Site, cloud, until
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(7200)]
ROOMY = ("compute.disk_allocation_ratio=50.0",)
"""Small guests claim more than the small disk holds, and never write it."""
FINAL = ("ACTIVE", "SHUTOFF", "ERROR", "PAUSED")


def test_after_the_storm_everything_is_right(tmp_path: Path) -> None:
    seed = int(os.environ.get("PILVI_CHAOS_SEED", "4"))
    faults = int(os.environ.get("PILVI_CHAOS_FAULTS", "15"))
    with small_disk(tmp_path / "disk") as disk, cloud(disk / "s", settings=ROOMY) as site:
        walk = Walk(site, tmp_path)
        for step in (walk.account, walk.image_and_key, walk.network, walk.servers, walk.console, walk.reach):
            step()
        before = walk.ssh("cat /proc/sys/kernel/random/boot_id")
        chaos, churn = Chaos(site, seed), Churn(site, walk.user, seed)
        churn.start()
        try:
            for _ in range(faults):
                chaos.strike()
        finally:
            churn.enough.set()
            churn.join(300)
            print(f"seed {seed}: {len(chaos.done)} faults: {chaos.summary()}; requests: {churn.succeeded} done, "
                  f"{churn.refused} refused")  # fmt: skip
        assert churn.succeeded > 0
        site.up()
        settle(walk)
        assert walk.ssh("cat /proc/sys/kernel/random/boot_id") == before, "a guest was restarted"
        answers(walk, "two")
        audit(site)
        tidy(walk)
        walk.patience = 3
        walk.delete()
        walk.nothing_left()


def settle(walk: Walk) -> None:
    """Every server reaches a final state: nothing is stuck."""
    walk.patience = 5

    def settled() -> bool:
        servers = walk.os("server", "list", "--long")
        return all(one["Status"] in FINAL and one["Task State"] in (None, "None") for one in servers)

    until(settled, "every server is in a final state", limit_s=300, every_s=2)
    assert walk.os("server", "show", "one")["status"] == "ACTIVE"
    assert walk.os("server", "show", "two")["status"] == "ACTIVE"


def answers(walk: Walk, name: str) -> None:
    address = walk.fixed_ip(name)
    until(
        lambda: "ok" in walk.ssh(f"ping -c 1 -W 5 {address} >/dev/null && echo ok", check=False),
        f"{name} answers on the network",
    )


def audit(site: Site) -> None:
    """The cloud's own auditor finds nothing, twice: what is under way at one moment is over at the next."""

    def green() -> object:
        report = site.pilvi("audit", "--json", check=False)
        document = json.loads(report.stdout)
        violations = [one for one in document["invariants"] if one["violations"]]
        return not violations or print(violations)

    until(green, "the auditor is green", limit_s=180, every_s=5)


def tidy(walk: Walk) -> None:
    """What the tenant of the storm left is his, and can be deleted."""
    for server in walk.os("server", "list"):
        if server["Name"].startswith("churn-"):
            walk._gone("server", server["ID"])
    until(lambda: len(walk.os("server", "list")) == 2, "the storm's servers are gone", limit_s=240)
    for kind in ("port", "network"):
        for one in walk.os(kind, "list"):
            if one["Name"].startswith("churn-"):
                walk._gone(kind, one["ID"])
