"""A PostgreSQL of one's own for tests: made in a temporary directory, gone afterwards, on loopback only."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilvi.ops.progress import StepFailed

APT_PACKAGES: Final = ("postgresql",)
START_TIMEOUT_S: Final = 60.0
SETTINGS: Final = {
    "fsync": "off",  # A throw-away cluster: what a power cut leaves of it is nobody's loss.
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


def binaries() -> Path:
    """The newest PostgreSQL that Debian installed."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not found:
        raise StepFailed("PostgreSQL is not installed. Run: apt-get install postgresql")
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the cluster lies and as whom it runs: PostgreSQL refuses to run as root."""

    home: Path
    port: int
    uid: int | None
    gid: int | None

    def run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.home,
            timeout=120,
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def make(self) -> None:
        options = ("-U", "pilvi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        result = self.run("initdb", "-D", str(self.home / "data"), *options)
        if result.returncode != 0:
            raise StepFailed(f"initdb failed: {result.stderr.strip()[-500:]}")

    def start(self) -> "subprocess.Popen[bytes]":
        settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        argv = [str(binaries() / "postgres"), "-D", str(self.home / "data"), "-p", str(self.port), "-k", str(self.home)]
        with (self.home / "log").open("wb") as log:
            return subprocess.Popen(
                [*argv, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
            )


@contextmanager
def scratch_postgres(database: str = "pilvi") -> Iterator[str]:
    """Yields the URL of an empty database, postgresql://pilvi@127.0.0.1:PORT/pilvi."""
    uid, gid = _unprivileged()
    home = Path(tempfile.mkdtemp(prefix="pilvi-pg-", dir="/tmp"))  # A short path: its socket lies there.
    try:
        if uid is not None and gid is not None:
            os.chown(home, uid, gid)
        cluster = Cluster(home, _free_port(), uid, gid)
        cluster.make()
        server = cluster.start()
        try:
            _wait_until_ready(server, cluster)
            made = cluster.run("createdb", "-h", str(home), "-p", str(cluster.port), "-U", "pilvi", database)
            if made.returncode != 0:
                raise StepFailed(f"createdb failed: {made.stderr.strip()[-500:]}")
            yield f"postgresql://pilvi@127.0.0.1:{cluster.port}/{database}"
        finally:
            _stop(server)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged() -> tuple[int | None, int | None]:
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise StepFailed("There is neither a user postgres nor nobody to run PostgreSQL as.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: "subprocess.Popen[bytes]", cluster: Cluster) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        if cluster.run("pg_isready", "-q", "-h", str(cluster.home), "-p", str(cluster.port)).returncode == 0:
            return
        time.sleep(0.05)
    raise StepFailed(f"PostgreSQL did not start: {(cluster.home / 'log').read_text()[-800:]}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # Fast shutdown: clients are disconnected.
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait(20)
