"""New keys: what is out stays valid, what is kept is encrypted anew, old keys go."""

from pathlib import Path
from typing import Any

import pytest

from pilvi.cli import keys as command
from pilvi.identity import facade
from pilvi.identity.keys import service as keys
from pilvi.identity.keys import store
from pilvi.kernel.config import CloudConfig, Config
from pilvi.kernel.secret_files import SecretFile
from pilvi.ops import state
from tests.contract.client import Client
from tests.contract.identity.conftest import World, log_in, validate
from tests.contract.identity.test_multi_factor import SECRET, by_passcode, now_code


def kept(cloud: Client) -> dict[str, str]:
    """Everything encrypted, as it lies in the database."""
    from pilvi.identity.credentials import service as credentials
    from pilvi.identity.domain_configs import service as domain_configs
    from pilvi.identity.oauth_consumers import service as consumers

    holders = (credentials.HOLDER, domain_configs.HOLDER, consumers.HOLDER)
    return cloud.database.read(lambda tx: {i: t for h in holders for i, t in h.read(tx, "", 1000)})


def files(config: Config) -> dict[Path, bytes]:
    """Everything secret that lies in files."""
    places = (config.paths.secrets, config.paths.ca, config.paths.ca / "hosts")
    return {path: path.read_bytes() for place in places for path in place.iterdir() if path.is_file()}


def count(cloud: Client, purpose: str) -> int:
    return len(cloud.database.read(lambda tx: store.newest_first(tx, purpose)))


@pytest.fixture
def secrets(world: World) -> dict[str, Any]:
    """A bit of everything that is kept encrypted."""
    user = world.user()
    made = [world.make("/credentials", "credential", type="cert", blob=f"b{i}", user_id=user["id"]) for i in range(7)]
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    world.make("/OS-OAUTH1/consumers", "consumer", description="c")
    config = {"config": {"ldap": {"url": "ldap://127.0.0.1", "password": "of the directory"}}}
    far = world.domain()
    assert world.admin.put(f"/domains/{far['id']}/config", config).status == 201
    return {"user": user, "credentials": made, "domain": far}


def test_secrets_are_encrypted_anew_and_old_keys_go(
    world: World, cloud: Client, secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "HELD_AT_ONCE", 3)
    before = kept(cloud)
    assert len(before) == 10
    assert facade.rotate_keys(cloud.database) == 10
    after = kept(cloud)
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    for _ in range(3):
        facade.rotate_keys(cloud.database)
    assert count(cloud, "credential") == 2
    for one in secrets["credentials"]:
        assert world.admin.get(f"/credentials/{one['id']}").body["credential"]["blob"] == one["blob"]
    assert log_in(world.admin, by_passcode(secrets["user"]["id"], now_code())).status == 201


def test_nothing_that_is_secret_lies_in_clear(cloud: Client, secrets: dict[str, Any]) -> None:
    assert not any("of the directory" in text or SECRET in text for text in kept(cloud).values())
    from pilvi.identity.domain_configs import service as domain_configs
    from pilvi.identity.domain_configs import store as raw

    id = secrets["domain"]["id"]
    assert "of the directory" not in str(cloud.database.read(lambda tx: raw.find(tx, id)))
    opened = cloud.database.read(lambda tx: domain_configs.find(tx, id))
    assert opened["ldap"]["password"] == "of the directory"


def test_a_rotation_that_died_in_the_middle_is_run_again(
    world: World, cloud: Client, secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(facade, "_encrypt_anew", dies)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                facade.rotate_keys(cloud.database)
    one = secrets["credentials"][0]
    assert world.admin.get(f"/credentials/{one['id']}").body["credential"]["blob"] == one["blob"]
    assert facade.rotate_keys(cloud.database) == 10
    assert world.admin.get(f"/credentials/{one['id']}").body["credential"]["blob"] == one["blob"]
    assert count(cloud, "credential") == 2


def test_the_command_rotates_and_gives_the_administrator_a_new_password(
    world: World, cloud: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = world.project_token(*world.member())
    config = Config(cloud=CloudConfig(state_dir=tmp_path))
    for ensure in (state.ensure_directories, state.ensure_secrets, state.ensure_certificates):
        ensure(config)
    before = files(config)
    monkeypatch.setattr("pilvi.ops.renewal.take_up", lambda config: None)
    monkeypatch.setattr(command.site, "require_root", lambda: None)
    monkeypatch.setattr(command.site, "load_config", lambda given: config)
    monkeypatch.setattr("pilvi.main.open_database", lambda config: cloud.database)
    monkeypatch.setattr(type(cloud.database), "close", lambda self: None)
    assert command.rotate(admin_password=True) == 0
    assert "keys: new ones are in force" in capsys.readouterr().out
    changed = {path.name for path, content in files(config).items() if before.get(path) != content}
    assert changed == {
        "admin_password", "front_secret", "metrics_token", "sealing_key", "front.pem", f"{config.host}.key",
        f"{config.host}.pem",
    }  # fmt: skip
    former = before[config.paths.front_secret].decode().strip()
    assert SecretFile(config.paths.front_secret).knows(former)
    password = config.paths.admin_password.read_text().strip()
    assert config.paths.admin_password.stat().st_mode & 0o777 == 0o600
    assert password in config.paths.clouds_yaml.read_text()
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    reply = log_in(world.admin, {"methods": ["password"], "password": {"user": user}}, "unscoped")
    assert reply.status == 201
    assert world.admin.get("/users").status == 401  # The token from before the new password.
    admin = {"project": {"name": "admin", "domain": {"id": "default"}}}
    fresh = log_in(world.admin, {"methods": ["password"], "password": {"user": user}}, admin)
    from tests.contract.identity.conftest import token_of, with_token

    assert validate(with_token(world.admin, token_of(fresh)), token).status == 200
    monkeypatch.undo()
