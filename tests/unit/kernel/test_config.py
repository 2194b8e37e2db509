"""The configuration: what is refused, and that the refusal names the place and the remedy."""

import copy
import pickle
from pathlib import Path

import pytest

from pilvi.kernel.config import Config, ConfigError, Secret, load, parse, split_address


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"cloud": {"tga": "x"}}, "no key tga"),
        ({"clouds": {}}, r"no part \[clouds\]"),
        ({"cloud": 1}, "must be a table"),
        ({"cloud": {"tag": "xyz"}}, "eight hexadecimal"),
        ({"cloud": {"state_dir": "here"}}, "absolute path"),
        ({"cloud": {"state_dir": "/" + "x" * 100}}, "too long"),
        ({"cloud": {"public_url": "127.0.0.1"}}, "like http"),
        ({"front": {"listen": "0.0.0.0:80"}}, "clear text"),
        ({"front": {"listen": "[::]:80"}}, "clear text"),
        ({"front": {"listen": "localhost:80"}}, "ADDRESS:PORT"),
        ({"front": {"listen": "127.0.0.1:0"}}, "between 1 and 65535"),
        ({"front": {"tls": "yes"}}, "true or false"),
        ({"front": {"certificate_path": "/c.pem"}}, "belong together"),
        ({"front": {"cors_origins": "https://a.example/"}}, "no origin as browsers write it"),
        ({"front": {"cors_origins": "*"}}, "no origin as browsers write it"),
        ({"api": {"threads": "8"}}, "a whole number"),
        ({"api": {"threads": True}}, "a whole number"),
        ({"api": {"threads": 0}}, "between 1 and 256"),
        ({"api": {"processes": 2}}, "one writer"),
        ({"database": {"url": "mysql://x"}}, "must be sqlite"),
        ({"database": {"url": "postgresql://u:p@h/n"}}, "password_path"),
        ({"compute": {"virt_type": "xen"}}, "one of auto, kvm, tcg"),
        ({"network": {"external_cidr": "203.0.113.1/24"}}, "host bits"),
        ({"agent": {"host": "a/b"}}, "letters, digits"),
        ({"quotas": {"instances": "many"}}, "-1 for no limit"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(document: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(document)


def test_nothing_written_is_a_cloud_for_a_laptop() -> None:
    config = parse({})
    assert config == Config()
    assert config.database_url == "sqlite:////var/lib/pilvi/cloud.db"
    assert config.front.listen.startswith("127.0.0.1:")


def test_tls_allows_every_address() -> None:
    assert parse({"front": {"listen": "0.0.0.0:443", "tls": True}}).front.tls


def test_postgresql_allows_several_processes() -> None:
    config = parse({"database": {"url": "postgresql://pilvi@db/pilvi"}, "api": {"processes": 4}})
    assert config.database_url == "postgresql://pilvi@db/pilvi"


def test_whole_numbers_serve_where_numbers_are_wanted() -> None:
    assert parse({"compute": {"cpu_allocation_ratio": 16}}).compute.cpu_allocation_ratio == 16.0


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pilvi.toml.*pilvi up"):
        load(tmp_path / "pilvi.toml")
    (tmp_path / "pilvi.toml").write_text("[cloud")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "pilvi.toml")


@pytest.mark.parametrize(("text", "port"), [("127.0.0.1:80", 80), ("[::1]:8780", 8780)])
def test_addresses_of_both_families_are_read(text: str, port: int) -> None:
    assert split_address(text, "here")[1] == port


def test_a_secret_does_not_print_or_travel() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(secret)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Secret.from_file(path)
    path.chmod(0o600)
    assert Secret.from_file(path).reveal() == "x"
