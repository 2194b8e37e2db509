"""The keys in the database are sealed with a file: who has the database alone has neither tokens nor secrets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from pilvi import main
from pilvi.identity import facade
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import service as keys
from pilvi.identity.keys import store
from pilvi.identity.settings import current
from pilvi.kernel.config import CloudConfig, Config, DatabaseConfig, Secret
from pilvi.kernel.db import Database
from pilvi.ops import state
from tests.contract.client import Client
from tests.contract.identity.conftest import World, validate


@pytest.fixture
def key_file(cloud: Client, tmp_path: Path) -> Iterator[Path]:
    """As a cloud gets it with the first `up` of this release: its keys still lie in clear."""
    path = tmp_path / "sealing_key"
    write(path, Fernet.generate_key().decode())
    before = current.sealing
    facade.open_keys_with(path)
    yield path
    current.sealing = before
    forget_what_was_opened()


def write(path: Path, *lines: str) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))


def texts(database: Database) -> list[str]:
    return [text for _, _, text in database.read(store.everything)]


def forget_what_was_opened() -> None:
    keys._unseal.cache_clear()


def restart(database: Database, path: Path) -> None:
    """What a new process knows."""
    forget_what_was_opened()
    database.write(epochs.bump)
    facade.open_keys_with(path)


def test_the_keys_of_an_older_cloud_are_sealed_and_its_tokens_stay(world: World, cloud: Client, key_file: Path) -> None:
    token = world.project_token(*world.member())
    assert not any(text.startswith(keys.SEALED) for text in texts(cloud.database))
    cloud.database.write(keys.ensure)
    assert all(text.startswith(keys.SEALED) for text in texts(cloud.database))
    restart(cloud.database, key_file)
    assert validate(world.admin, token).status == 200
    after = texts(cloud.database)
    cloud.database.write(keys.ensure)
    assert texts(cloud.database) == after  # What is sealed is left alone.


def test_without_its_file_or_with_another_one_nobody_gets_in_and_the_answer_says_why(
    world: World, cloud: Client, key_file: Path, tmp_path: Path
) -> None:
    cloud.database.write(keys.ensure)
    write(tmp_path / "other", Fernet.generate_key().decode())
    for file, words in ((tmp_path / "none", "was not there"), (tmp_path / "other", "sealed with another file")):
        restart(cloud.database, file)
        reply = world.admin.get("/users")
        assert reply.status == 503
        assert words in reply.content.decode()
        assert "backup" in reply.content.decode()
    restart(cloud.database, key_file)
    assert world.admin.get("/users").status == 200


def test_a_rotation_seals_with_the_newest_line_so_that_the_others_may_go(
    world: World, cloud: Client, key_file: Path
) -> None:
    cloud.database.write(keys.ensure)
    token = world.project_token(*world.member())
    new, old = Fernet.generate_key().decode(), key_file.read_text().strip()
    write(key_file, new, old)
    facade.rotate_keys(cloud.database)
    write(key_file, new)
    restart(cloud.database, key_file)
    assert validate(world.admin, token).status == 200
    write(key_file, old)
    restart(cloud.database, key_file)
    assert world.admin.get("/users").status == 503


def test_a_process_that_runs_reads_the_file_again_when_it_meets_a_key_that_it_cannot_open(
    world: World, cloud: Client, key_file: Path
) -> None:
    cloud.database.write(keys.ensure)
    token = world.project_token(*world.member())
    write(key_file, Fernet.generate_key().decode(), key_file.read_text().strip())
    facade.rotate_keys(cloud.database)
    assert validate(world.admin, token).status == 200


def test_a_new_cloud_never_has_a_key_in_clear(tmp_path: Path) -> None:
    config = Config(cloud=CloudConfig(state_dir=tmp_path), database=DatabaseConfig(f"sqlite:///{tmp_path}/c.db"))
    before = current.sealing
    try:
        state.ensure_directories(config)
        state.ensure_secrets(config)
        assert config.paths.sealing_key.stat().st_mode & 0o777 == 0o600
        main.migrate(config)
        main.bootstrap(config, Secret("of-the-admin"))
        database = main.open_database(config)
        assert len(texts(database)) == len(keys.PURPOSES)
        assert all(text.startswith(keys.SEALED) for text in texts(database))
        database.close()
    finally:
        current.sealing = before
        forget_what_was_opened()
