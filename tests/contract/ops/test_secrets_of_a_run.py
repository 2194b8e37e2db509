"""What looks for secrets at the end of an e2e run finds the one that is planted, wherever that is."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pilvi import main
from pilvi.identity import facade as identity
from pilvi.kernel import facts
from pilvi.kernel.config import Config, load
from pilvi.kernel.context import internal
from pilvi.kernel.db import Tx
from pilvi.ops import state as state_directory
from tests.contract.conftest import furnish, open_cloud, settle
from tests.e2e import secrets_seen
from tests.e2e.secrets_seen import SecretsSeen, examine

GIVEN = "a-password-that-a-client-gave"
SCRIPT = "#!/bin/sh\nexport TOKEN_OF_SOMETHING_ELSE=0123456789\n"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run's findings, empty and of this test alone."""
    mine: list[str] = []
    monkeypatch.setattr(secrets_seen, "found", mine)
    monkeypatch.setattr(secrets_seen, "examined", set())
    return mine


@pytest.fixture
def seen(tmp_path: Path) -> SecretsSeen:
    """A cloud's directory with keys, a database with accounts and a log, and a client that did this and that."""
    state = tmp_path / "s"
    (state / "log").mkdir(parents=True)
    (state / "pilvi.toml").write_text(f'[cloud]\nstate_dir = "{state}"\n')
    config = load(state / "pilvi.toml")
    for folder in (config.paths.secrets, config.paths.ca):
        folder.mkdir()
    config.paths.front_secret.write_text(state_directory.new_secret() + "\n")
    database = main.open_database(config)
    furnish(database)
    cloud = settle(open_cloud(database, state))
    pair = f"/users/{cloud.facts['member']}/credentials/OS-EC2"
    assert cloud.at("/identity/v3").post(pair, {"tenant_id": cloud.facts["demo"]}).status == 201
    database.close()
    made = SecretsSeen(state)
    (tmp_path / "script").write_text(SCRIPT)
    words = ["server", "create", "--user-data", str(tmp_path / "script"), "--password", GIVEN, "one"]
    made.given(words, {"OS_PASSWORD": "password-of-the-user"})
    made.got(words, json.dumps({"adminPass": "made-by-the-cloud", "id": "x"}))
    return made


def config_of(seen: SecretsSeen) -> Config:
    return load(seen.state / "pilvi.toml")


def log(seen: SecretsSeen, text: str) -> None:
    (seen.state / "log" / "api.log").write_text(json.dumps({"event": "request", "path": text}) + "\n")


def event(seen: SecretsSeen, text: str) -> None:
    database = main.open_database(config_of(seen))
    database.write(lambda tx: facts.record(tx, internal("req-1"), "step", detail={"message": f"said {text}"}))
    database.close()


def test_a_cloud_that_tells_nothing_is_found_well(seen: SecretsSeen, told: list[str]) -> None:
    log(seen, "/identity/v3/users")
    event(seen, "nothing of interest")
    examine(seen)
    assert told == []
    assert secrets_seen.examined == {seen.state}
    kinds = set(seen.known.values())
    assert {"token key", "credential key", "front_secret", "secret in identity_credentials", "user data"} <= kinds


def of_kind(kind: str) -> Callable[[SecretsSeen], str]:
    def find(seen: SecretsSeen) -> str:
        seen.held()
        return next(secret for secret, its in seen.known.items() if its == kind)

    return find


PLANTED: dict[str, tuple[str, Callable[[SecretsSeen], str]]] = {
    "a password given": ("value of --password", lambda seen: GIVEN),
    "a password made": ("adminPass of server create", lambda seen: "made-by-the-cloud"),
    "a user's own password": ("password of a user", lambda seen: "password-of-the-user"),
    "a line of user data": ("user data", lambda seen: SCRIPT.splitlines()[1]),
    "user data as it travels": ("user data", lambda seen: base64.b64encode(SCRIPT.encode()).decode()),
    "the front's secret": ("front_secret", of_kind("front_secret")),
    "a key of tokens": ("token key", of_kind("token key")),
    "an EC2 secret": ("secret in identity_credentials", of_kind("secret in identity_credentials")),
    "a token nobody knew of": ("a token, or what is encrypted", lambda seen: "gAAAAA" + "Bk3-_" * 30),
    "a key nobody knew of": ("a private key", lambda seen: "-----BEGIN OPENSSH PRIVATE KEY-----"),
    "a hash": ("the hash of a password", lambda seen: identity.hash_password("whatever it is")),
}


@pytest.mark.parametrize("place", [log, event])
@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(seen: SecretsSeen, told: list[str], planted: str, place: Any) -> None:
    kind, secret = PLANTED[planted]
    text = secret(seen)
    place(seen, text)
    examine(seen)
    where = str(seen.state / "log" / "api.log") if place is log else "table kernel_events"
    assert f"{kind} is in {where}" in told
    assert text not in str(told)


def test_a_fault_that_quotes_a_secret_is_found(seen: SecretsSeen, told: list[str]) -> None:
    from pilvi.kernel.db import metadata

    def plant(tx: Tx) -> None:
        tx.insert(metadata.tables["image_tasks"], {
            "id": "t", "type": "import", "status": "failure", "owner": "o", "user_id": "u", "image_id": "i",
            "request_id": "r", "input": {}, "result": None, "message": GIVEN, "created_at": "", "updated_at": "",
            "expires_at": None,
        })  # fmt: skip

    database = main.open_database(config_of(seen))
    database.write(plant)
    database.close()
    examine(seen)
    assert told == [f"value of --password is in table {name}" for name in ("kernel_events", "image_tasks")]


def test_a_cloud_that_cannot_be_examined_fails_the_run(seen: SecretsSeen, told: list[str]) -> None:
    config_of(seen).paths.database.write_bytes(b"no database at all" * 100)
    examine(seen)
    assert len(told) == 1
    assert "could not be examined" in told[0]
