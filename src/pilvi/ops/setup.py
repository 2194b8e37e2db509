"""`up`: from nothing, or from whatever is there, to a cloud that answers. Every step may run again.

The order matters: what a process reads exists before it starts, what needs the API comes after it answers.
"""

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pilvi.client import Client
from pilvi.kernel.config import Config
from pilvi.ops import clouds_yaml, first_content, front, packages, processes, site, state
from pilvi.ops.progress import Outcome, Progress, Say, StepFailed

ANSWER_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.2


@dataclass(frozen=True)
class Wishes:
    """What the operator said to `up`."""

    state_dir: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    with_image: bool = True
    image_file: Path | None = None  # A tiny image that was built elsewhere.


def run(wishes: Wishes, progress: Progress) -> Config:
    """All steps; raises StepFailed, ConfigError or ApiError with what to do."""
    config, made = state.ensure_config(wishes.state_dir, wishes.settings)
    progress.step("Debian packages", lambda say: packages.install(_packages(config, wishes), say))
    progress.step("Configuration", lambda _say: made)
    progress.step("State directory", lambda _say: state.ensure_directories(config))
    progress.step("Secrets", lambda _say: state.ensure_secrets(config))
    progress.step("Certificates", lambda _say: state.ensure_certificates(config))
    progress.step("Front", lambda _say: _ensure_front(config))
    progress.step("Database", lambda _say: ensure_database(config))
    progress.step("Credentials", lambda _say: Outcome(clouds_yaml.write(config), str(config.paths.clouds_yaml)))
    progress.step("Processes", lambda say: _ensure_processes(config, say))
    with site.admin_client(config, timeout_s=120) as client:
        progress.step("API", lambda say: wait_for_answer(config, client, say))
        progress.step("Flavors", lambda _say: first_content.ensure_flavors(client))
        progress.step("External network", lambda _say: first_content.ensure_external_network(client, config))
        if wishes.with_image:
            progress.step("Image", lambda say: _ensure_image(config, wishes, client, say))
        progress.step("Host", lambda say: wait_for_host(config, client, say))
    return config


def _packages(config: Config, wishes: Wishes) -> list[str]:
    modules: tuple[str, ...] = packages.REAL
    if config.compute.hypervisor == "qemu" or (wishes.with_image and wishes.image_file is None):
        modules += packages.QEMU
    if config.network.driver == "linux":
        modules += packages.LINUX
    return packages.needed(modules)


def _ensure_front(config: Config) -> Outcome:
    changed = front.write(config)
    return Outcome(changed, f"{config.front.listen}, agents {config.front.agents_listen}")


def ensure_database(config: Config) -> Outcome:
    """Schema and first accounts, unless the program that made them last is this one."""
    stamp = config.paths.run / "database.revision"
    revision = f"{processes.revision(config)} {config.database_url}"
    if stamp.exists() and stamp.read_text() == revision and _database_exists(config):
        return Outcome(False, "up to date")
    for command in ("migrate", "bootstrap"):
        run_command(config, command)
    stamp.write_text(revision)
    return Outcome(True, "schema and accounts are up to date")


def run_command(config: Config, command: str) -> None:
    """One of the cloud's own commands, in a process of its own: this one need not import every service."""
    argv = processes.python(command, "--config", str(config.paths.config))
    result = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False, umask=0o077
    )
    if result.returncode != 0:
        raise StepFailed(f"`pilvi {command}` failed: {(result.stderr or result.stdout).strip()[-1500:]}")


def _database_exists(config: Config) -> bool:
    url = config.database_url
    return not url.startswith("sqlite") or Path(url.removeprefix("sqlite:///")).exists()


def _ensure_processes(config: Config, say: Say) -> Outcome:
    before = {status.name: status.pid for status in processes.statuses(config)}
    described = processes.write_description(config)
    started = processes.start_supervisor(config)
    if not described and all(before.values()):
        return Outcome(False, "all run")
    say("starting")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        now = {status.name: status.pid for status in processes.statuses(config)}
        if all(now.values()) and not (described and started is False and now == before and _is_stale(config)):
            fresh = [name for name, pid in now.items() if pid != before.get(name)]
            return Outcome(bool(fresh), f"started {', '.join(fresh)}" if fresh else "told to read their files again")
        time.sleep(POLL_S)
    raise StepFailed(f"The processes do not stay up. {last_words(config)}")


def _is_stale(config: Config) -> bool:
    """The supervisor has not replaced the processes of the last revision yet."""
    wanted = processes.revision(config)
    pid_files = [config.paths.run / f"{name}.pid" for name in processes.SERVICES]
    return any(wanted not in path.read_text() for path in pid_files if path.exists())


def wait_for_answer(config: Config, client: Client, say: Say) -> Outcome:
    url = site.auth_url(config)
    started = time.monotonic()
    if client.probe(url) == 200:
        return Outcome(False, f"answers at {url}")
    say("waiting for its first answer")
    while time.monotonic() - started < ANSWER_TIMEOUT_S:
        if client.probe(url) == 200:
            return Outcome(True, f"answers at {url}")
        time.sleep(POLL_S)
    raise StepFailed(f"The API did not answer within {ANSWER_TIMEOUT_S:.0f} s at {url}. {last_words(config)}")


def wait_for_host(config: Config, client: Client, say: Say) -> Outcome:
    """Until the agent has reported: from then on servers can be placed here."""
    started = time.monotonic()
    while time.monotonic() - started < ANSWER_TIMEOUT_S:
        services = client.get("compute", "/os-services", binary="nova-compute", host=config.host)["services"]
        if any(service["state"] == "up" for service in services):
            waited = time.monotonic() - started > 1
            return Outcome(waited, f"{config.host} is up")
        say("waiting for its agent's first report")
        time.sleep(1)
    raise StepFailed(f"Host {config.host} did not report within {ANSWER_TIMEOUT_S:.0f} s. {last_words(config)}")


def last_words(config: Config) -> str:
    """The end of what the processes printed and logged as errors, for a message that helps."""
    lines = []
    for name in processes.ORDER:
        for path in (config.paths.log / f"{name}.out", config.paths.log / f"{name}.log"):
            if path.exists():
                text = path.read_text(errors="replace")[-4000:].strip().splitlines()
                lines += [
                    f"  {path.name}: {line[:400]}" for line in text if path.suffix == ".out" or '"error"' in line
                ][-3:]
    return "Their last words:\n" + "\n".join(lines) if lines else f"The logs are in {config.paths.log}."


def _ensure_image(config: Config, wishes: Wishes, client: Client, say: Say) -> Outcome:
    if not first_content.is_image_missing(client):
        return Outcome(False, f"{first_content.TINY_IMAGE} is there")
    return first_content.ensure_image(client, wishes.image_file or build_image(config, say), say)


def build_image(config: Config, say: Say) -> Path:
    """Made once per machine and kept: other clouds here, and the tests, take the same file."""
    from pilvi.ops.tiny_image.build import build
    from pilvi.ops.tiny_image.shell import TinyImageFault

    try:
        return build(config.paths.cache / "tiny", config.paths.cache / "tiny-work", say)
    except TinyImageFault as fault:
        raise StepFailed(f"The tiny image cannot be built: {fault}") from fault


def summary(config: Config) -> str:
    """What a newcomer needs to go on."""
    prefix = "./pilvi"
    if config.cloud.state_dir != site.DEFAULT_STATE_DIR:
        prefix += f" --state {config.cloud.state_dir}"
    return "\n".join(
        (
            "",
            f"The cloud answers at {config.cloud.public_url} (identity: {site.auth_url(config)}).",
            f"Credentials: {config.paths.clouds_yaml}, cloud `{site.CLOUD_NAME}`, user `{site.ADMIN}`.",
            "Try:",
            f"  {prefix} openstack network create --project admin net1",
            f"  {prefix} openstack server create --image tiny --flavor m1.nano --nic none --wait first",
            f"  {prefix} status",
        )
    )
