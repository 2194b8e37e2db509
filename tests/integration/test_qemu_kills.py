"""The agent's compute side, killed again and again at random moments: what is wanted comes true, nothing is left."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pilvi.compute.drivers.qemu import process
from tests.integration import qemu_rig as rig

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(os.geteuid() != 0, reason="guests run as users of their own, which takes root"),
]
ROOT = Path(__file__).parents[2]


class Cloud:
    """Writes the desired state and runs the agent."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.revision = 0
        self.servers: dict[str, dict[str, Any]] = {}
        self.agent: subprocess.Popen[bytes] | None = None

    def want(self, server_id: str, power: str, *, reboot: int = 0) -> None:
        generation = self.servers.get(server_id, {"generation": 0})["generation"] + 1
        image = {"id": server_id, "sha512": "", "disk_format": "raw", "size_bytes": 1, "virtual_size_bytes": 1}
        self.servers[server_id] = {
            "id": server_id,
            "generation": generation,
            "power": power,
            "reboot": {"generation": reboot, "kind": "hard"},
            "vcpus": 1,
            "memory_mib": 32,
            "root_gib": 1,
            "image": image,
            "config_drive": True,
            "metadata": {"files": {"a": "YQ=="}},
        }
        self.revision += 1
        part = self.directory / "desired.part"
        part.write_text(json.dumps({"revision": self.revision, "servers": list(self.servers.values())}))
        part.replace(self.directory / "desired.json")

    def start_agent(self) -> None:
        with (self.directory / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.qemu_agent", str(self.directory)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
                stdout=log,
                stderr=log,
            )

    def kill_agent(self) -> None:
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait()

    def is_converged(self) -> bool:
        path = self.directory / "reports.json"
        seen = {report["id"]: report for report in json.loads(path.read_text())} if path.exists() else {}
        return all(
            server_id in seen
            and seen[server_id]["power"] == server["power"]
            and seen[server_id]["generation"] == server["generation"]
            and (server["power"] == "absent" or seen[server_id]["reboot_generation"] >= server["reboot"]["generation"])
            for server_id, server in self.servers.items()
        )


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    rig.sector_spec(tmp_path, "")
    with rig.leaving_nothing(tmp_path):
        yield cloud
        if cloud.agent is not None and cloud.agent.poll() is None:
            cloud.kill_agent()


def test_the_agent_is_killed_at_every_turn_and_guests_come_out_right(cloud: Cloud) -> None:
    chance = random.Random(20261122)
    ids = [str(UUID(int=chance.getrandbits(128))) for _ in range(3)]
    reboots = dict.fromkeys(ids, 0)
    kills = 0
    for _ in range(12):
        for server_id in ids:
            power = chance.choice(["on", "off", "paused", "on"])
            reboots[server_id] += power == "on" and server_id in cloud.servers and chance.random() < 0.4
            cloud.want(server_id, power, reboot=reboots[server_id])
        for _ in range(2):
            cloud.start_agent()
            time.sleep(0.6 + chance.random() * 1.2)  # it takes half a second to come up
            cloud.kill_agent()
            kills += 1
    cloud.start_agent()
    rig.wait_until(cloud.is_converged)
    for server_id in ids:
        running = process.find(
            (cloud.directory / "guests" / server_id).resolve(), f"guest={server_id},debug-threads=on"
        )
        assert len(running) == (0 if cloud.servers[server_id]["power"] == "off" else 1)
    for server_id in ids:
        cloud.want(server_id, "absent")
    time.sleep(0.2)
    cloud.kill_agent()
    cloud.start_agent()
    rig.wait_until(cloud.is_converged)
    cloud.kill_agent()
    assert kills >= 20
    assert list((cloud.directory / "guests").glob("*-*")) == []
    assert b"Traceback" not in (cloud.directory / "agent.log").read_bytes()


def test_guests_run_on_untouched_while_the_agent_is_away_and_when_it_comes_back(cloud: Cloud) -> None:
    ids = [str(UUID(int=n)) for n in (1, 2)]
    for server_id in ids:
        cloud.want(server_id, "on")
    cloud.start_agent()
    rig.wait_until(cloud.is_converged)
    before = [
        process.find((cloud.directory / "guests" / server_id).resolve(), f"guest={server_id},debug-threads=on")
        for server_id in ids
    ]
    cloud.kill_agent()
    (cloud.directory / "reports.json").unlink()
    cloud.start_agent()
    rig.wait_until(cloud.is_converged)
    after = [
        process.find((cloud.directory / "guests" / server_id).resolve(), f"guest={server_id},debug-threads=on")
        for server_id in ids
    ]
    assert before == after


def test_a_guest_whose_process_was_killed_is_started_again(cloud: Cloud) -> None:
    server_id = str(UUID(int=3))
    cloud.want(server_id, "on")
    cloud.start_agent()
    rig.wait_until(cloud.is_converged)
    directory, word = (cloud.directory / "guests" / server_id).resolve(), f"guest={server_id},debug-threads=on"
    (first,) = process.find(directory, word)
    rig.kill_guest(cloud.directory, server_id)
    rig.wait_until(lambda: process.find(directory, word) not in ([], [first]))
    rig.wait_until(cloud.is_converged)
