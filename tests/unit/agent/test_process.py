"""Turns of the agent with drivers that only remember, and a control plane that notes what it is told."""

from pathlib import Path
from typing import Any

import pytest

from pilvi.agent import process
from pilvi.agent.process import FULL_TURN_S, Agent
from pilvi.compute.drivers.fake import Fake
from pilvi.kernel import clock
from pilvi.kernel.config import Config, parse
from pilvi.network.drivers.fake import FakeDriver


class Control:
    """Wants nothing of the host but that it is there."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def state(self, known: int | None) -> dict[str, Any] | None:
        return None if known == 1 else {"revision": 1, "complete": True, "servers": [], "network": {}}

    def report(self, document: dict[str, Any]) -> dict[str, Any]:
        self.told.append(document)
        return {"revision": 1}


class Clock(clock.SystemClock):
    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = parse({"cloud": {"state_dir": str(tmp_path)}, "agent": {"report_interval_s": 3600}})
    made.paths.host.mkdir(parents=True)
    return made


def test_what_the_network_came_to_is_told_after_every_full_turn(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, control = Clock(), Control()
    monkeypatch.setattr(clock, "_clock", time)
    monkeypatch.setattr(process, "_memory_used_mib", lambda: 1)
    agent = Agent(config, Fake(), FakeDriver(), workers=0)
    agent.control = control  # type: ignore[assignment]
    for _ in range(4):  # It announces itself, is told what is wanted and reports; then there is no news.
        agent.turn()
        time.now_s += 1
    before = len(control.told)
    agent.turn()
    assert len(control.told) == before
    time.now_s += FULL_TURN_S
    agent.turn()
    assert len(control.told) == before + 1
    assert control.told[-1]["network"]["revision"] == 1
