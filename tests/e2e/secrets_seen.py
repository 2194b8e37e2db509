"""Every secret that existed in a cloud of this run, and whether the cloud has told one of them to anybody.

Secrets are kept as the clients of the tests give and get them; at the end of a cloud its files and its database are
asked for all that it held. What nobody can list, such as each token that a client took for itself, is known by its
form. Then all logs, all events, faults and notes of the database, and the command lines of its processes are read.
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet

from pilvi import main
from pilvi.identity import settings as identity_settings
from pilvi.identity.keys import service as keys
from pilvi.identity.keys import store as key_store
from pilvi.kernel.config import load
from pilvi.kernel.db import Tx, connect, metadata
from pilvi.kernel.secret_files import SecretFile
from pilvi.ops.make_migration import load_tables

SHORTEST: Final = 8
"""What is shorter stands in any text by chance."""
LINE: Final = 24
"""Of scripts and keys, lines of at least so many characters are looked for."""
GIVEN: Final = ("--password", "--secret", "--original-password")
SHOWN: Final = ("adminPass", "secret", "private_key", "blob")
FORMS: Final = {
    "a token, or what is encrypted": re.compile(rb"gAAAAA[A-Za-z0-9_-]{60,}"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "the hash of a password": re.compile(rb"\$(?:2[aby]|scrypt|argon2id?|pbkdf2[a-z0-9-]*)\$[^\s\"]{20,}"),
}
TOLD: Final = (
    "kernel_events", "kernel_work", "kernel_hosts", "compute_instance_actions", "compute_instance_action_events",
    "ops_audit_verdicts", "ops_history", "image_tasks",
)  # fmt: skip
"""Tables that people read, or commands on their behalf."""

ENCRYPTED: Final = {
    "identity_credentials": "encrypted_blob", "identity_oauth_consumers": "encrypted_secret",
    "identity_oauth_tokens": "encrypted_secret",
}  # fmt: skip

found: list[str] = []
"""What the clouds of this run have told; conftest.py fails the run for it."""
begun: set[Path] = set()
examined: set[Path] = set()


class SecretsSeen:
    """The secrets of one cloud."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.known: dict[str, str] = {}
        """Secret → what it is."""

    def add(self, kind: str, value: object) -> None:
        if isinstance(value, str) and len(value) >= SHORTEST:
            self.known[value] = kind

    def add_text(self, kind: str, text: str) -> None:
        """A script or a key: its long lines, and all of it as it travels."""
        self.add(kind, base64.b64encode(text.encode()).decode())
        for line in text.splitlines():
            if len(line) >= LINE and not line.startswith("-----"):
                self.add(kind, line.strip())

    # -- while the cloud lives -------------------------------------------------------------------------------------

    def given(self, words: Sequence[str], user: Mapping[str, str] | None) -> None:
        """A command of the stock client is about to be run."""
        self.add("password of a user", (user or {}).get("OS_PASSWORD"))
        for option, value in pairwise(words):
            if option in GIVEN:
                self.add(f"value of {option}", value)
            if option == "--user-data":
                self.add_text("user data", Path(value).read_text(errors="replace"))

    def got(self, words: Sequence[str], output: str) -> None:
        """It has answered."""
        for token in re.findall(r"token(?:=|%3D|%253D)([A-Za-z0-9_-]{16,})", output):
            self.add("token of a console", token)
        if "PRIVATE KEY-----" in output:
            self.add_text("private key of a keypair", output.replace("\\n", "\n"))
        try:
            document = json.loads(output)
        except ValueError:
            return
        if isinstance(document, dict):
            for name in SHOWN:
                self.add(f"{name} of {' '.join(words[:2])}", document.get(name))
            if tuple(words[:2]) == ("token", "issue"):
                self.add("token", document.get("id"))

    # -- at its end ------------------------------------------------------------------------------------------------

    def held(self) -> None:
        """All that the cloud itself still has."""
        config = load(self.state / "pilvi.toml")
        self.add("password of the database", urlsplit(config.database_url).password)
        for path in config.paths.secrets.iterdir():
            for word in path.read_text().split():
                if len(word) >= 16:
                    self.add(path.name, word)
        for path in [*config.paths.ca.rglob("*.key"), config.paths.front_certificate]:
            pem = path.read_text() if path.exists() else ""
            for block in re.findall(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END", pem, re.DOTALL):
                self.add_text(f"key {path.name}", block)
        former, sealing = identity_settings.current.sealing, config.paths.sealing_key
        identity_settings.current.sealing = SecretFile(sealing) if sealing.exists() else None
        database = connect(config.database_url)
        try:
            database.read(self._in_tables)
        finally:
            identity_settings.current.sealing = former
            database.close()

    def _in_tables(self, tx: Tx) -> None:
        for purpose, _, text in key_store.everything(tx):
            self.add(f"{purpose} key", keys._opened(text))
            self.add(f"sealed {purpose} key", text.removeprefix(keys.SEALED) if keys.SEALED in text else None)
        cipher = MultiFernet([Fernet(keys._opened(text)) for text in key_store.newest_first(tx, "credential")])
        for name, column in ENCRYPTED.items():
            for encrypted in tx.scalars(sa.select(metadata.tables[name].c[column])):
                self._blob(name, cipher.decrypt(encrypted.encode()).decode())
        servers = metadata.tables["compute_servers"].c
        rows: list[Any] = tx.all(sa.select(servers.admin_password, servers.user_data))
        for row in rows:
            self.add("password of a server", row.admin_password)
            if row.user_data:
                self.add("user data", row.user_data)
                self.add_text("user data", base64.b64decode(row.user_data).decode(errors="replace"))

    def _blob(self, name: str, clear: str) -> None:
        """EC2 pairs keep a document, TOTP seeds and others a text."""
        try:
            document = json.loads(clear)
        except ValueError:
            document = clear
        self.add(f"secret in {name}", document.get("secret") if isinstance(document, dict) else clear)

    def told(self) -> list[str]:
        """Which secrets are where they must not be: what and where, never the secret itself."""
        result = []
        secrets = {secret.encode(): kind for secret, kind in self.known.items()}
        for where, text in self._places():
            seen = {kind for secret, kind in secrets.items() if secret in text}
            seen |= {kind for kind, form in FORMS.items() if form.search(text)}
            result += [f"{kind} is in {where}" for kind in sorted(seen)]
        return result

    def _places(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted((self.state / "log").rglob("*")):
            if path.is_file():
                yield str(path), path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:
                continue
            if str(self.state).encode() in words and b"--password" not in words:  # The tests' own clients may.
                yield f"the command line of process {path.parent.name}", words
        if shutil.which("journalctl"):
            lines = subprocess.run(["journalctl", "-b", "-n", "100000"], capture_output=True, check=False)
            yield "the journal", lines.stdout
        database = connect(load(self.state / "pilvi.toml").database_url)
        try:
            yield from database.read(_tables)
        finally:
            database.close()


def _tables(tx: Tx) -> list[tuple[str, bytes]]:
    places = []
    for name in TOLD:
        rows: list[Any] = tx.all(sa.select(metadata.tables[name]))
        places.append((f"table {name}", json.dumps([row._asdict() for row in rows], default=str).encode()))
    faults = tx.scalars(sa.select(metadata.tables["compute_servers"].c.fault))
    return [*places, ("faults of servers", json.dumps(faults, default=str).encode())]


def examine(secrets: SecretsSeen) -> None:
    """At the end of a cloud, before its files go. What it told is remembered for the end of the run."""
    if not (secrets.state / "pilvi.toml").exists() or not (secrets.state / "log").exists():
        return  # It never was.
    for service in main.SCHEMA:
        load_tables(service)
    try:
        secrets.held()
        found.extend(secrets.told())
    except Exception as error:  # The cloud must be taken down whatever happens here.
        found.append(f"{secrets.state} could not be examined: {error!r}")
    examined.add(secrets.state)
