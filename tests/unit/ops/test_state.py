"""The state directory: made once, left alone afterwards, closed to others."""

import stat
from pathlib import Path

import pytest

from pilvi.kernel.config import Config, ConfigError, parse
from pilvi.ops import certificates, clouds_yaml, site, state


def make(root: Path, **settings: dict[str, object]) -> Config:
    config, _outcome = state.ensure_config(root, settings)
    return config


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    for expected in (True, False):
        config, made = state.ensure_config(tmp_path / "state", {})
        steps = [
            made,
            state.ensure_directories(config),
            state.ensure_secrets(config),
            state.ensure_certificates(config),
        ]
        assert [step.changed for step in steps] == [expected] * 4


def test_secrets_and_keys_are_for_root_alone(tmp_path: Path) -> None:
    config = make(tmp_path)
    for step in (state.ensure_directories, state.ensure_secrets, state.ensure_certificates):
        step(config)
    clouds_yaml.write(config)
    private = [*config.paths.secrets.iterdir(), *tmp_path.rglob("*.key"), config.paths.front_certificate]
    private += [config.paths.clouds_yaml, config.paths.config]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE(config.paths.secrets.stat().st_mode) == 0o700


def test_two_clouds_have_two_tags_and_two_passwords(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    for config in (first, second):
        state.ensure_directories(config)
        state.ensure_secrets(config)
    assert first.cloud.tag != second.cloud.tag
    assert site.admin_password(first).reveal() != site.admin_password(second).reveal()


def test_the_public_url_follows_the_address_listened_on(tmp_path: Path) -> None:
    config = make(tmp_path / "a", front={"listen": "127.0.0.1:9999"})
    assert config.cloud.public_url == "http://127.0.0.1:9999"
    config = make(tmp_path / "b", front={"listen": "[::1]:9999", "tls": True})
    assert config.cloud.public_url == "https://[::1]:9999"
    with pytest.raises(ConfigError, match="public-url"):
        make(tmp_path / "c", front={"listen": "0.0.0.0:9999", "tls": True})


def test_settings_of_an_existing_cloud_must_agree_with_its_file(tmp_path: Path) -> None:
    make(tmp_path, api={"threads": 4})
    assert make(tmp_path, api={"threads": 4}).api.threads == 4
    with pytest.raises(ConfigError, match="Edit the file"):
        make(tmp_path, api={"threads": 5})


def test_a_refused_setting_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        make(tmp_path / "new", api={"threads": 0})
    assert not (tmp_path / "new").exists()


def test_settings_are_read_as_toml_or_as_text() -> None:
    words = ["api.threads=4", "front.tls=true", "front.listen=127.0.0.1:1", 'cloud.region="X"']
    assert state.parse_settings(words) == {
        "api": {"threads": 4},
        "front": {"tls": True, "listen": "127.0.0.1:1"},
        "cloud": {"region": "X"},
    }
    with pytest.raises(ConfigError, match=r"PART\.KEY=VALUE"):
        state.parse_settings(["threads=4"])


def test_the_file_written_is_the_file_read(tmp_path: Path) -> None:
    config = make(tmp_path, cloud={"region": 'quo"te \\ ü'}, quotas={"instances": 3})
    assert config == make(tmp_path)
    assert config.cloud.region == 'quo"te \\ ü'


def test_certificates_are_renewed_before_they_end_and_when_names_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = parse({"cloud": {"state_dir": str(tmp_path)}}).paths
    certificates.ensure_ca(paths)
    assert certificates.ensure_host(paths, "h")
    assert not certificates.ensure_host(paths, "h")
    paths.host_certificate("h").unlink()
    monkeypatch.setattr(certificates, "HOST_DAYS", 0)
    assert certificates.ensure_host(paths, "h")
    monkeypatch.undo()
    assert certificates.ensure_host(paths, "h")
    assert certificates.ensure_front(paths, ["a.example"])
    assert not certificates.ensure_front(paths, ["a.example"])
    assert certificates.ensure_front(paths, ["a.example", "127.0.0.1"])


def test_a_new_ca_makes_every_certificate_anew(tmp_path: Path) -> None:
    paths = parse({"cloud": {"state_dir": str(tmp_path)}}).paths
    certificates.ensure_ca(paths)
    certificates.ensure_host(paths, "h")
    (paths.ca / "ca.key").unlink()
    assert certificates.ensure_ca(paths)
    assert certificates.ensure_host(paths, "h")
