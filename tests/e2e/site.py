"""A whole cloud of its own in a temporary state directory, driven through `./pilvi` and the stock client."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from tests.e2e import secrets_seen

ROOT = Path(__file__).parents[2]
OPENSTACK = Path(sys.executable).parent / "openstack"
TINY = Path("/var/tmp/pilvi-tiny/tiny.qcow2")
"""Built once per machine by the first run; later runs register this file."""


class CommandFailed(AssertionError):
    def __init__(self, argv: Sequence[str], result: "subprocess.CompletedProcess[str]") -> None:
        super().__init__(f"{' '.join(argv)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
        self.output = result.stdout + result.stderr


def run(
    argv: Sequence[str], *, timeout_s: float = 180, check: bool = True, **more: Any
) -> "subprocess.CompletedProcess[str]":
    result = subprocess.run(
        list(argv), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False, **more
    )
    if check and result.returncode != 0:
        raise CommandFailed(argv, result)
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(look: Callable[[], Any], what: str, *, limit_s: float = 180, every_s: float = 1.0) -> Any:
    """Wait for an event with a generous limit; what was seen last is in the message."""
    end = time.monotonic() + limit_s
    seen: Any = None
    while time.monotonic() < end:
        seen = look()
        if seen:
            return seen
        time.sleep(every_s)
    raise AssertionError(f"{what} did not happen within {limit_s:.0f} s; last seen: {seen!r}")


class Site:
    def __init__(self, state: Path, *, settings: Sequence[str] = ()) -> None:
        self.state = state
        self.port = free_port()
        self.secrets = secrets_seen.SecretsSeen(state)
        self.settings = [f"front.agents_listen=127.0.0.1:{free_port()}", *settings]

    # -- the cloud itself ------------------------------------------------------------------------------------------

    def pilvi(self, *words: str, check: bool = True, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        if words[:1] == ("down",) and "--purge" in words:
            secrets_seen.examine(self.secrets)
        argv = [sys.executable, "-m", "pilvi", "--state", str(self.state), *words]
        result = run(
            argv, check=check, timeout_s=timeout_s, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
        )
        if words[:1] == ("up",):
            secrets_seen.begun.add(self.state)
        return result

    def up(self) -> str:
        words = ["up", "--listen", f"127.0.0.1:{self.port}"]
        for setting in self.settings:
            words += ["--set", setting]
        if TINY.exists():
            words += ["--image-file", str(TINY)]
        return self.pilvi(*words).stdout

    def down(self, *words: str) -> str:
        return self.pilvi("down", *words).stdout

    @property
    def tag(self) -> str:
        import tomllib

        tag: str = tomllib.loads((self.state / "pilvi.toml").read_text())["cloud"]["tag"]
        return tag

    def pids(self) -> dict[str, int]:
        """Process id by name, as `status` knows them (it exits with 1 while something is down)."""
        document = json.loads(self.pilvi("status", "--json", check=False).stdout)
        return {p["name"]: p["pid"] for p in document["processes"] if p.get("pid")}

    # -- the stock client ------------------------------------------------------------------------------------------

    def environment(self, user: Mapping[str, str] | None = None) -> dict[str, str]:
        base = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        if user is None:
            return {**base, "OS_CLIENT_CONFIG_FILE": str(self.state / "clouds.yaml"), "OS_CLOUD": "pilvi"}
        return {
            **base, "OS_AUTH_URL": f"http://127.0.0.1:{self.port}/identity/v3", "OS_IDENTITY_API_VERSION": "3",
            "OS_USER_DOMAIN_ID": "default", "OS_PROJECT_DOMAIN_ID": "default", "OS_REGION_NAME": "RegionOne", **user,
        }  # fmt: skip

    def openstack(self, *words: str, user: Mapping[str, str] | None = None, show: bool = True) -> Any:
        """One command of the unmodified client; its JSON, or its text with `show=False`."""
        argv = [str(OPENSTACK), *words, *(["-f", "json"] if show else [])]
        self.secrets.given(words, user)
        result = run(argv, env=self.environment(user))
        self.secrets.got(words, result.stdout)
        return json.loads(result.stdout) if show and result.stdout.strip() else result.stdout

    # -- inside ----------------------------------------------------------------------------------------------------

    def inside(
        self, namespace: str, *argv: str, check: bool = True, timeout_s: float = 60
    ) -> "subprocess.CompletedProcess[str]":
        """Run something in one of the cloud's own namespaces: `x` is the world outside, `dp` the data plane."""
        name = f"pv{self.tag}-{namespace}"
        return run(["nsenter", f"--net=/run/netns/{name}", *argv], check=check, timeout_s=timeout_s)

    def namespaces(self) -> list[str]:
        prefix = f"pv{self.tag}-"
        return sorted(p.name.removeprefix(prefix) for p in Path("/run/netns").glob(prefix + "*"))

    def guests(self) -> list[int]:
        """Process ids of this cloud's QEMUs: each works in its guest's directory."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                program, directory = (path / "cmdline").read_bytes().split(b"\0")[0], (path / "cwd").readlink()
            except OSError:
                continue
            if b"qemu-system" in program and directory.is_relative_to(self.state.resolve()):
                found.append(int(path.name))
        return found

    def count(self, table: str, where: str = "1") -> int:
        connection = apsw.Connection(str(self.state / "cloud.db"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return int(next(iter(connection.execute(f"select count(*) from {table} where {where}")))[0])
        finally:
            connection.close()


@contextmanager
def cloud(path: Path, *, settings: Sequence[str] = ()) -> Iterator[Site]:
    """Up on entry; on exit nothing is left of it, whatever happened in between."""
    site = Site(path, settings=settings)
    try:
        site.up()
        yield site
    finally:
        keep = os.environ.get("PILVI_KEEP_LOGS")
        if keep and (path / "log").exists():
            shutil.copytree(path / "log", Path(keep) / path.name, dirs_exist_ok=True)
        site.pilvi("down", "--purge", check=False)
