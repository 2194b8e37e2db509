"""The walk while processes of the cloud are killed under it: it still ends right and leaves nothing.

PILVI_KILL_SEED=N chooses other moments and victims; a failure prints the seed and every kill.
"""

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from tests.e2e.site import Site, cloud, until
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(2400)]
VICTIMS = ("front", "api", "live", "agent", "supervisor")
LEAST_KILLS = 20


class Killer(threading.Thread):
    """Ends one process of the cloud every few seconds, by the ids that the cloud itself wrote down."""

    def __init__(self, site: Site, seed: int) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.chance = random.Random(seed)
        self.enough = threading.Event()
        self.kills: list[str] = []
        self.errors: list[BaseException] = []

    def run(self) -> None:
        try:
            while not self.enough.wait(self.chance.uniform(1.5, 6.0)):
                self._strike()
        except BaseException as error:  # the test must hear of it
            self.errors.append(error)

    def _strike(self) -> None:
        name = self.chance.choice(VICTIMS)
        pid = self.site.pids().get(name)
        if pid is None:
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills.append(name)
        if name == "supervisor":  # nobody watches the watcher: `up` brings it back
            self.site.up()


def test_the_walk_ends_right_while_processes_are_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("PILVI_KILL_SEED", "20261122"))
    with cloud(tmp_path / "s") as site:
        killer = Killer(site, seed)
        killer.start()
        walk = Walk(site, tmp_path, patience=12)
        try:
            for step in walk.steps_under_fire():
                step()
            while len(killer.kills) < LEAST_KILLS and killer.is_alive():  # A quick machine is through too early.
                walk.metadata()
        finally:
            killer.enough.set()
            killer.join(120)
            print(f"seed {seed}: {len(killer.kills)} kills: {' '.join(killer.kills)}")
        assert killer.errors == []
        assert len(killer.kills) >= LEAST_KILLS
        site.up()
        walk.delete()
        walk.nothing_left()


def test_guests_outlive_the_control_plane_and_are_not_restarted(site: Site, tmp_path: Path) -> None:
    walk = Walk(site, tmp_path)
    for step in (walk.account, walk.image_and_key, walk.network, walk.servers, walk.console, walk.reach):
        step()
    before = sorted(site.guests())
    assert len(before) == 2
    boot_id = walk.ssh("cat /proc/sys/kernel/random/boot_id")
    os.kill(site.pids()["supervisor"], signal.SIGTERM)
    until(lambda: not site.pids(), "every process of the cloud is stopped")
    assert sorted(site.guests()) == before
    assert walk.ssh("echo still here") == "still here"
    two = walk.fixed_ip_seen["two"]
    assert walk.ssh(f"ping -c 1 -W 5 {two} >/dev/null && echo ok") == "ok"
    site.up()
    walk.wait_status("one", "ACTIVE")
    assert sorted(site.guests()) == before
    assert walk.ssh("cat /proc/sys/kernel/random/boot_id") == boot_id
    walk.delete()
