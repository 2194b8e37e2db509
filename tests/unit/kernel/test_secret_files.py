"""Secrets in files: several that count, in force without a restart, and never in a message."""

from pathlib import Path

import pytest

from pilvi.kernel import clock
from pilvi.kernel.config import ConfigError
from pilvi.kernel.secret_files import LOOK_EVERY_S, SecretFile, parse


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands where it is put."""
    moment = [1_000_000.0]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    monkeypatch.setattr(clock, "monotonic", lambda: moment[0])
    return moment


def write(path: Path, text: str, mode: int = 0o600) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(text)
    scratch.chmod(mode)
    scratch.replace(path)


def test_the_first_line_is_said_and_every_line_is_known(tmp_path: Path, time: list[float]) -> None:
    path = tmp_path / "secret"
    write(path, "new\nold until 1000060\n\n")
    secrets = SecretFile(path)
    assert secrets.current().reveal() == "new"
    assert [secrets.knows(text) for text in ("new", "old", "old until 1000060", "other", "", "n\udce4w")] == [
        True, True, False, False, False, False
    ]  # fmt: skip
    time[0] += 61
    assert [secrets.knows(text) for text in ("new", "old")] == [True, False]


def test_a_new_secret_is_known_at_once_and_a_former_one_for_a_second_more(tmp_path: Path, time: list[float]) -> None:
    path = tmp_path / "secret"
    write(path, "one\n")
    secrets = SecretFile(path)
    assert secrets.knows("one")
    write(path, "two\n")
    assert secrets.knows("one")
    assert secrets.current().reveal() == "one"
    assert secrets.knows("two")
    write(path, "three\n")
    time[0] += LOOK_EVERY_S
    assert secrets.current().reveal() == "three"
    assert [secrets.knows(text) for text in ("one", "two", "three")] == [False, False, True]


def test_a_file_that_went_or_broke_leaves_what_was_known(tmp_path: Path, time: list[float]) -> None:
    path = tmp_path / "secret"
    write(path, "one\n")
    secrets = SecretFile(path)
    assert secrets.knows("one")
    for text, mode in (("two\n", 0o644), ("", 0o600), ("two until soon\n", 0o600)):
        write(path, text, mode)
        time[0] += LOOK_EVERY_S
        assert secrets.knows("one")
    path.unlink()
    time[0] += LOOK_EVERY_S
    assert secrets.knows("one")


def test_a_process_does_not_begin_without_its_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no secret in"):
        SecretFile(tmp_path / "none").current()


def test_a_wrong_line_is_told_by_its_number_alone(tmp_path: Path) -> None:
    for text, words in (("one\nhush until tomorrow\n", "Line 2 of"), ("hush until 1\n", "The first line of")):
        with pytest.raises(ConfigError, match=words) as told:
            parse(text, tmp_path)
        assert "hush" not in str(told.value)
