"""The operator's file of issuers."""

from pathlib import Path

import pytest

from pilvi.identity.issuers import is_safe, load
from pilvi.kernel.config import ConfigError

GOOD = """
[corp]
issuer = "https://idp.example/realm"
client_id = "pilvi"
client_secret = "hush"
audiences = ["account"]
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "oidc.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_no_file_means_no_issuers() -> None:
    assert load(None) == {}


def test_a_file_is_read_and_keeps_its_secret(tmp_path: Path) -> None:
    issuer = load(written(tmp_path, GOOD))["corp"]
    assert (issuer.issuer, issuer.client_id, issuer.audiences) == ("https://idp.example/realm", "pilvi", ("account",))
    assert issuer.client_secret is not None
    assert "hush" not in repr(issuer)
    assert issuer.client_secret.reveal() == "hush"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[corp", "not valid TOML"),
        ("[corp]\nclient_id = 'x'", "needs issuer"),
        ("[corp]\nissuer = 'https://x'", "needs client_id"),
        ("[corp]\nissuer = 'http://idp.example'\nclient_id = 'x'", "must be an https URL"),
        (GOOD + "colour = 'blue'", "may have"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(written(tmp_path, text))


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        load(written(tmp_path, GOOD, 0o644))


def test_only_tls_or_this_machine_is_safe() -> None:
    safe = ("https://x.example/a", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/")
    unsafe = ("http://x.example", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "file:///etc/passwd", "")
    assert [is_safe(url) for url in (*safe, *unsafe)] == [True] * 4 + [False] * 5
