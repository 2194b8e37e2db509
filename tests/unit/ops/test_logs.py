"""`pilvi logs`: complete, in order, incremental, bounded as the logs are, and never confused by turned-over files."""

import json
import time
from pathlib import Path

import pytest

from pilvi.kernel.config import CloudConfig, Config, ConfigError
from pilvi.kernel.log import RotatingFile
from pilvi.ops import logs
from pilvi.ops.log_index import NAME, LogIndex, Wish

NOON = 1_800_000_000.0


def line(event: str, second: float = 0.0, **fields: object) -> bytes:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOON + second)) + "Z"
    return json.dumps({"event": event, "level": "info", "timestamp": at, **fields}).encode() + b"\n"


def write(folder: Path, name: str, *lines: bytes) -> None:
    with (folder / name).open("ab") as file:
        file.writelines(lines)


def events(index: LogIndex, limit: int = 1000, **wish: object) -> list[str]:
    index.refresh()
    return [json.loads(found.raw)["event"] for found in index.find(Wish(**wish), limit)]  # type: ignore[arg-type]


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    write(tmp_path, "api.log", line("a", 1), line("c", 3))
    write(tmp_path, "live.log", line("b", 2), line("d", 4))
    index = LogIndex(tmp_path)
    assert events(index) == ["a", "b", "c", "d"]
    assert events(index, limit=2) == ["c", "d"]
    assert events(index, process="live") == ["b", "d"]
    assert events(index, since=NOON + 3) == ["c", "d"]


def test_words_are_found_wherever_they_are_and_names_of_fields_are_not(tmp_path: Path) -> None:
    write(tmp_path, "api.log", line("loop.failed", error="disk is full", detail={"at": ["/dev/vda"]}), line("other"))
    index = LogIndex(tmp_path)
    for text in ("full", "disk full", "loop.fail", "/dev/vda", '"disk', "DISK"):
        assert events(index, text=text) == ["loop.failed"], text
    for text in ("error", "disk empty", "timestamp", "***"):
        assert events(index, text=text) == [], text


def test_a_request_is_found_over_all_processes(tmp_path: Path) -> None:
    write(tmp_path, "api.log", line("request", 1, request_id="req-1"), line("request", 2, request_id="req-2"))
    write(tmp_path, "agent.log", line("step", 3, request_id="req-1"))
    assert events(LogIndex(tmp_path), request_id="req-1") == ["request", "step"]


def test_only_what_is_new_is_read_and_an_unfinished_line_waits(tmp_path: Path) -> None:
    index = LogIndex(tmp_path)
    write(tmp_path, "api.log", line("a"), line("half")[:10])
    assert index.refresh() == 1
    assert index.refresh() == 0
    write(tmp_path, "api.log", line("half")[10:])
    assert index.refresh() == 1
    assert events(index) == ["a", "half"]
    assert LogIndex(tmp_path).refresh() == 0


def test_turned_over_files_keep_their_lines_once_and_lose_them_with_the_file(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "api.log", largest_bytes=2000, kept=3)
    index = LogIndex(tmp_path)
    for number in range(200):
        file.write(line(f"e{number}", number))
        if number % 7 == 0:
            index.refresh()
    found = events(index)
    assert found == [f"e{number}" for number in range(200 - len(found), 200)]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("api.log*"))
    assert len(found) == kept.count(b"\n")


def test_a_file_that_was_cut_is_read_anew(tmp_path: Path) -> None:
    """The supervisor cuts .out files in place."""
    path = tmp_path / "front.out"
    path.write_bytes(b"[NOTICE] one\n[NOTICE] two\n")
    index = LogIndex(tmp_path)
    assert index.refresh() == 2
    path.write_bytes(b"[ALERT] three and this is longer than before\n[ALERT] four\n")
    index.refresh()
    assert [found.raw.split()[1] for found in index.find(Wish(process="front"), 10)] == [b"three", b"four"]
    assert index.find(Wish(text="one"), 10) == []


def test_a_broken_index_is_made_anew(tmp_path: Path) -> None:
    write(tmp_path, "api.log", line("a"))
    (tmp_path / NAME).write_bytes(b"not a database at all" * 100)
    assert events(LogIndex(tmp_path)) == ["a"]


def test_the_index_is_as_bounded_as_the_logs(tmp_path: Path) -> None:
    for number in range(4000):
        write(
            tmp_path, "api.log", line("request", number, request_id=f"req-{number:032x}", path=f"/servers/{number:x}")
        )
    index = LogIndex(tmp_path)
    index.refresh()
    index.close()
    assert (tmp_path / NAME).stat().st_size < 2 * (tmp_path / "api.log").stat().st_size
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


# -- what is shown ---------------------------------------------------------------------------------------------------


def shown(tmp_path: Path, wish: Wish, *, as_json: bool = False) -> list[str]:
    config = Config(cloud=CloudConfig(state_dir=tmp_path))
    return list(logs.read(config, wish, 100, follow=False, as_json=as_json))


def test_a_line_for_people_says_who_and_what_and_steers_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    write(tmp_path / "log", "api.log", line("request", request_id="req-1", path="/a\x1b[2Jb", ms=2.5, said="two words"))
    assert shown(tmp_path, Wish()) == [
        "2027-01-15 08:00:00.000 api        info     request path=/a\\x1b[2Jb ms=2.5 said='two words' req-1"
    ]
    assert json.loads(shown(tmp_path, Wish(), as_json=True)[0])["path"] == "/a\x1b[2Jb"


def test_following_shows_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").mkdir()
    write(tmp_path / "log", "api.log", line("old", 1))
    waits = []

    def wait(_: float) -> None:
        waits.append(1)
        write(tmp_path / "log", "api.log", line(f"new{len(waits)}", 1 + len(waits)))

    monkeypatch.setattr(logs.time, "sleep", wait)
    config = Config(cloud=CloudConfig(state_dir=tmp_path))
    lines = logs.read(config, Wish(), 100, follow=True, as_json=False)
    assert [next(lines).split()[4] for _ in range(3)] == ["old", "new1", "new2"]
    lines.close()


def test_times_are_spans_or_moments() -> None:
    assert logs.moment("2027-01-15T08:00:00") == NOON
    assert time.time() - logs.moment("10m") == pytest.approx(600, abs=5)
    with pytest.raises(ConfigError, match="--since takes"):
        logs.moment("yesterday")
    with pytest.raises(ConfigError, match="There is no process"):
        logs.wish_of((), "", "apo", "", "")
