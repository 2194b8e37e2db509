"""What `down` does to guests and files, with the in-memory drivers."""

from pathlib import Path

import pytest

from pilvi.kernel.config import Config
from pilvi.ops import processes, state, teardown
from pilvi.ops.progress import Progress


@pytest.fixture
def config(tmp_path: Path) -> Config:
    root = tmp_path / "state"
    drivers = {"compute": {"hypervisor": "fake"}, "network": {"driver": "fake"}}
    made, _outcome = state.ensure_config(root, drivers)
    state.ensure_directories(made)
    state.ensure_secrets(made)
    return made


def test_down_without_a_running_cloud_is_calm(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    teardown.run(config, Progress(), purge=False)
    assert capsys.readouterr().out.splitlines() == ["same Processes: none ran", "same Guests: none run"]
    assert config.paths.config.exists()


def test_a_purge_leaves_nothing_of_ours(config: Config) -> None:
    teardown.run(config, Progress(), purge=True)
    assert not config.cloud.state_dir.exists()


def test_a_purge_leaves_what_is_not_ours(config: Config) -> None:
    (config.cloud.state_dir / "thesis.txt").write_text("years of work")
    teardown.run(config, Progress(), purge=True)
    assert [path.name for path in config.cloud.state_dir.iterdir()] == ["thesis.txt"]


def test_a_pid_file_of_another_life_stops_nobody(config: Config) -> None:
    import os

    (config.paths.run / "api.pid").write_text(f"{os.getpid()}\nanother-boot/1\n1\n\n")
    assert processes.recorded_pid(config, "api") is None
    assert processes.stop_all(config) == []


def test_the_description_names_the_sockets_and_changes_with_the_configuration(config: Config) -> None:
    (config.paths.run / "haproxy.cfg").write_text("x")
    first = processes.describe(config)
    assert str(config.paths.api_socket) in first
    assert processes.describe(config) == first
    config.paths.config.write_text(config.paths.config.read_text() + "\n")
    assert processes.describe(config) != first
