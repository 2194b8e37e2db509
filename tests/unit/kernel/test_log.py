"""Logs: whole lines, bounded files, no secrets."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from pilvi.kernel import log
from pilvi.kernel.config import Secret


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Any]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    log.configure("test", tmp_path)
    yield lambda: [json.loads(line) for line in (tmp_path / "test.log").read_text().splitlines()]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = before, level


def test_a_line_says_who_when_and_for_which_request(lines: Any) -> None:
    with log.bound(request_id="req-1", server_id=None):
        log.logger("compute").info("booted", server="a")
    log.logger("compute").info("later")
    first, second = lines()
    assert (first["event"], first["request_id"], first["component"], first["level"]) == (
        "booted",
        "req-1",
        "compute",
        "info",
    )
    assert first["timestamp"].endswith("Z")
    assert "server_id" not in first
    assert "request_id" not in second


@pytest.mark.parametrize("name", ["password", "admin_pass", "adminPass", "X-Auth-Token", "authorization", "user_data"])
def test_what_is_named_like_a_secret_is_hidden_at_any_depth(lines: Any, name: str) -> None:
    log.logger("x").info("asked", body={"server": [{name: "hunter2"}]}, **{name.replace("-", "_"): "hunter2"})
    assert "hunter2" not in json.dumps(lines())


def test_tokens_and_secrets_are_hidden_wherever_they_stand(lines: Any) -> None:
    log.logger("x").info("asked", text="token gAAAAABm" + "x" * 40 + " was used", value=Secret("hunter2"))
    text = json.dumps(lines())
    assert "gAAAAA" not in text
    assert "hunter2" not in text


def test_identifiers_and_numbers_of_secrets_stay(lines: Any) -> None:
    log.logger("x").info("made", secret_id="abc", token_lifetime_s=3600)
    assert (lines()[0]["secret_id"], lines()[0]["token_lifetime_s"]) == ("abc", 3600)


def test_libraries_log_into_the_same_file(lines: Any) -> None:
    logging.getLogger("library").warning("odd %s", "thing")
    assert (lines()[0]["component"], lines()[0]["event"]) == ("library", "odd thing")


def test_a_line_without_end_is_cut(lines: Any) -> None:
    log.logger("x").info("long", text="y" * 1_000_000)
    (line,) = lines()
    assert line["event"] == "long"
    assert len(json.dumps(line)) < log.LONGEST_LINE


def test_files_turn_over_and_stay_few_with_two_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    writers = [log.RotatingFile(path, largest_bytes=2000, kept=3) for _ in range(2)]
    line = b'{"n":' + b"1" * 93 + b"}\n"

    def write(writer: log.RotatingFile) -> None:
        for _ in range(200):
            writer.write(line)

    threads = [threading.Thread(target=write, args=[writer]) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = sorted(each.name for each in tmp_path.iterdir())
    assert files == ["a.log", "a.log.1", "a.log.2"]
    for each in tmp_path.iterdir():
        assert each.stat().st_size <= 2000 + 3 * len(line)
        assert set(each.read_bytes().splitlines(keepends=True)) <= {line}


def test_a_full_disk_does_not_stop_who_logs(tmp_path: Path) -> None:
    writer = log.RotatingFile(tmp_path / "gone" / "a.log") if (tmp_path / "gone").mkdir() is None else None
    assert writer is not None
    (tmp_path / "gone" / "a.log").unlink()
    (tmp_path / "gone").rmdir()
    writer.write(b"lost\n")


def test_a_plain_line_has_the_shape_of_all_others(tmp_path: Path) -> None:
    log.configure("api", tmp_path)
    with log.bound(request_id="req-1"):
        log.plain("api", "request", {"status": 200, "ms": 1.5})
        log.logger("api").info("request", status=200, ms=1.5)
    plain, other = [json.loads(line) for line in (tmp_path / "api.log").read_text().splitlines()]
    assert plain.pop("timestamp")[:16] == other.pop("timestamp")[:16]
    assert plain == other


def test_plain_lines_are_of_level_info(tmp_path: Path) -> None:
    log.configure("api", tmp_path, level="warning")
    log.plain("api", "request", {"status": 200})
    assert (tmp_path / "api.log").read_text() == ""


def test_logging_does_not_load_what_colours_a_terminal() -> None:
    program = "import pilvi.kernel.log, sys; assert 'rich' not in sys.modules; import rich.console"
    subprocess.run([sys.executable, "-c", program], check=True)
