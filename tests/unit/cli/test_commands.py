"""The command line: help, mistakes, and that processes of the cloud start without what people need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilvi.cli import commands
from pilvi.cli.main import take_state

ROOT = Path(__file__).parents[3]


def pilvi(*words: str, state: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "pilvi", "--state", str(state), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", **environment},
    )


def test_the_help_names_every_command(tmp_path: Path) -> None:
    text = pilvi("--help", state=tmp_path).stdout
    names = ["up", "down", "status", "doctor", "env", "openstack", "ssh", "why", "why-not", "logs", "test", "check"]
    names += ["history", "show", "audit"]
    assert [name for name in names if f" {name} " not in text] == []


@pytest.mark.parametrize("command", [["status"], ["env"], ["why", "x"], ["logs"]])
def test_without_a_cloud_a_command_says_how_to_get_one(command: list[str], tmp_path: Path) -> None:
    done = pilvi(*command, state=tmp_path)
    assert done.returncode == 1
    assert "`./pilvi up` makes a cloud" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_word_that_is_no_command_is_an_error_with_status_two(tmp_path: Path) -> None:
    done = pilvi("upp", state=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_process_of_the_cloud_without_a_configuration_says_so(tmp_path: Path) -> None:
    done = pilvi("api", "--config", str(tmp_path / "pilvi.toml"), state=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert pilvi("api", state=tmp_path).returncode == 2


def test_down_without_a_cloud_has_nothing_to_do(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        assert pilvi("down", state=tmp_path).stdout == f"There is no cloud in {tmp_path}.\n"


@pytest.mark.parametrize("words", [["--state", "/x", "up"], ["--state=/x", "up"]])
def test_the_state_directory_is_taken_before_the_command_only(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILVI_STATE", "/before")
    take_state(words)
    assert (os.environ["PILVI_STATE"], words) == ("/x", ["up"])
    words = ["openstack", "--state", "error"]
    take_state(words)
    assert words == ["openstack", "--state", "error"]


def test_what_runs_as_a_process_imports_no_command_line(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['pilvi', 'supervise', '/nowhere']\n"
        "from pilvi.cli import main\n"
        "try: main()\n"
        "except FileNotFoundError: pass\n"
        "print(sorted(m for m in ('cyclopts', 'rich', 'asyncio', 'sqlalchemy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_command_tells_what_it_is_for() -> None:
    for name in commands.app:
        if not name.startswith("-"):
            assert commands.app[name].help, name


def test_the_entry_script_is_sound_bash() -> None:
    assert subprocess.run(["bash", "-n", str(ROOT / "pilvi")], check=False).returncode == 0
