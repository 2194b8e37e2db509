"""An OpenLDAP directory of one's own for tests: made in a temporary directory, gone afterwards, on loopback only."""

import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pilvi.ops.progress import StepFailed

with warnings.catch_warnings():  # The library asks for names by which pyasn1 calls some things no more.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3

APT_PACKAGES: Final = ("slapd",)
START_TIMEOUT_S: Final = 60.0
SUFFIX: Final = "dc=corp,dc=example"
ADMIN: Final = f"cn=admin,{SUFFIX}"
PASSWORD: Final = "secret-of-the-directory"  # noqa: S105 of a directory that lives for seconds
SCHEMAS: Final = ("core", "cosine", "inetorgperson", "nis")
CONFIG: Final = """
{schemas}
pidfile {home}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
database mdb
maxsize 67108864
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {home}/data
dbnosync
"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """A running directory: its addresses, and an administrator who fills it."""

    port: int
    tls_port: int
    admin: Any

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def add(self, dn: str, classes: list[str], **attributes: Any) -> None:
        self._done(self.admin.add(f"{dn},{SUFFIX}", classes, attributes))

    def change(self, dn: str, **attributes: Any) -> None:
        changes = {name: [(ldap3.MODIFY_REPLACE, values)] for name, values in attributes.items()}
        self._done(self.admin.modify(f"{dn},{SUFFIX}", changes))

    def rename(self, dn: str, rdn: str) -> None:
        self._done(self.admin.modify_dn(f"{dn},{SUFFIX}", rdn))

    def delete(self, dn: str) -> None:
        self._done(self.admin.delete(f"{dn},{SUFFIX}"))

    def clear(self) -> None:
        """Everything below the root entry goes."""
        self.admin.search(SUFFIX, "(objectClass=*)", attributes=[])
        found = sorted((entry["dn"] for entry in self.admin.response), key=lambda dn: -dn.count(","))
        for dn in found:
            if dn != SUFFIX:
                self._done(self.admin.delete(dn))

    def _done(self, is_done: bool) -> None:
        if not is_done:
            raise StepFailed(f"The directory refused: {self.admin.result}")


@contextmanager
def scratch_slapd(tls: tuple[Path, Path, Path] | None = None) -> Iterator[Slapd]:
    """A directory with nothing but its root entry. `tls`: CA, certificate and key, for ldaps and StartTLS."""
    home = Path(tempfile.mkdtemp(prefix="pilvi-ldap-", dir="/tmp"))
    port, tls_port = _free_port(), _free_port()
    try:
        _write_config(home, tls)
        server = _start(home, port, tls_port if tls else 0)
        try:
            yield Slapd(port, tls_port, _wait_until_ready(server, home, port))
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _write_config(home: Path, tls: tuple[Path, Path, Path] | None) -> None:
    (home / "data").mkdir()
    lines = ("TLSCACertificateFile", "TLSCertificateFile", "TLSCertificateKeyFile")
    text = CONFIG.format(
        schemas="\n".join(f"include /etc/ldap/schema/{name}.schema" for name in SCHEMAS),
        tls="\n".join(f"{line} {path}" for line, path in zip(lines, tls or (), strict=False)),
        home=home, suffix=SUFFIX, admin=ADMIN, password=PASSWORD,
    )  # fmt: skip
    (home / "slapd.conf").write_text(text)


def _start(home: Path, port: int, tls_port: int) -> "subprocess.Popen[bytes]":
    program = shutil.which("slapd", path="/usr/sbin:/usr/lib/openldap:/usr/bin")
    if program is None:
        raise StepFailed("OpenLDAP is not installed. Run: apt-get install slapd")
    urls = f"ldap://127.0.0.1:{port}/" + (f" ldaps://127.0.0.1:{tls_port}/" if tls_port else "")
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            [program, "-f", str(home / "slapd.conf"), "-h", urls, "-d", "0"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, start_new_session=True,
        )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: "subprocess.Popen[bytes]", home: Path, port: int) -> Any:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.05)
            continue
        there = ldap3.Server("127.0.0.1", port, get_info=ldap3.NONE)
        admin: Any = ldap3.Connection(there, ADMIN, PASSWORD, auto_bind=True, check_names=False)
        admin.add(SUFFIX, ["dcObject", "organization"], {"o": "Corp"})
        return admin
    raise StepFailed(f"slapd did not start: {(home / 'log').read_text()[-800:]}")
