"""The commands that explain, on a cloud that has a database and no process."""

import json
from pathlib import Path

import pytest

from pilvi import main
from pilvi.cli import explain
from pilvi.kernel import facts, history
from pilvi.kernel.config import ConfigError, parse
from pilvi.kernel.context import internal
from pilvi.kernel.db import Tx


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = parse({"cloud": {"state_dir": str(tmp_path)}})
    monkeypatch.setattr(explain.site, "load_config", lambda _: config)
    Path(config.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    main.migrate(config)
    database = main.open_database(config)

    def happen(tx: Tx) -> None:
        about = ("server", "11111111-1111-1111-1111-111111111111", "web")
        detail = {"message": "Quota exceeded for cores: Requested 500, but already used 1 of 20 cores.", "by": "ann"}
        facts.record(
            tx, internal("req-1"), "api compute POST /servers", resource=about, outcome="refused", detail=detail
        )

    database.write(happen)
    database.close()
    return tmp_path


def test_why_names_the_cause_and_the_remedy(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.why("req-1") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "request req-1 is turned down (api compute POST /servers by ann): Quota exceeded for cores: Requested 500, "
        "but already used 1 of 20 cores."
    )
    assert any(line.startswith("Remedy: ") for line in said)
    assert explain.why("req-1", tree=True) == 0
    assert "req-1" in capsys.readouterr().out


def test_why_as_data(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.why("web", as_json=True) == 0
    [story] = json.loads(capsys.readouterr().out)
    assert story["causes"][0]["key"] == "quota"
    assert story["events"][0]["request_id"] == "req-1"


def test_what_nobody_knows_ends_with_one(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [explain.why("nobody"), explain.history("nobody"), explain.show("nobody")] == [1, 1, 1]
    assert capsys.readouterr().out.count("Nothing is known of nobody") == 3
    assert explain.why("req-of-a-read") == 1
    assert "pilvi logs --request req-of-a-read" in capsys.readouterr().out


def test_why_not_without_a_flavor_of_that_name(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.why_not(flavor="huge", image="tiny") == 1
    assert "Flavor huge could not be found" in capsys.readouterr().out


def test_a_time_that_is_none_is_refused(cloud: Path) -> None:
    with pytest.raises(ConfigError, match="ISO 8601"):
        explain.show("web", at="yesterday")
    with pytest.raises(ConfigError, match="--before wants a time"):
        explain.history("web", before="yesterday")
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        explain.history("web", limit=0)


def test_history_says_how_to_go_on(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = main.open_database(explain.site.load_config(None))
    row = {"name": "at first", "domain_id": "", "parent_id": "", "is_domain": True, "enabled": True, "description": ""}
    rest = {"tags": [], "options": {}, "extra": {}, "tokens_after": 0.0}
    database.write(lambda tx: tx.insert(history.TRACKED["project"].table, {"id": "p1", **row, **rest}))
    table = history.TRACKED["project"].table
    for number in range(5):
        database.write(lambda tx, n=number: tx.execute(table.update().values(name=f"name {n}")))  # type: ignore[misc]
    database.close()
    shown: list[str] = []
    command = ["p1", "--limit", "2"]
    while command:
        words = dict(zip(command[1::2], command[2::2], strict=True))
        assert explain.history(command[0], limit=int(words["--limit"]), before=words.get("--before")) == 0
        lines = capsys.readouterr().out.splitlines()
        shown = [line for line in lines if "name: " in line] + shown
        command = lines[-1].split()[4:] if lines[-1].startswith("… older: pilvi history ") else []
    assert [line.split("→")[1].strip() for line in shown] == ["at first", *(f"name {n}" for n in range(5))]


def test_an_empty_cloud_keeps_every_promise(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.audit(as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["violations"] for each in document["invariants"]} == {0}
    assert explain.audit() == 0
    assert "0 violations." in capsys.readouterr().out
