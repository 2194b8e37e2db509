"""Debian packages that the cloud runs on: each part names its own, here they are installed when missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from importlib import import_module
from typing import Final

from pilvi.ops.progress import Outcome, Say, StepFailed

# Modules with a constant APT_PACKAGES.
REAL: Final = ("pilvi.ops.front", "pilvi.ops.guest_ssh", "pilvi.live")
QEMU: Final = ("pilvi.compute.drivers.qemu", "pilvi.ops.tiny_image")
LINUX: Final = ("pilvi.network.drivers.linux",)
TEST: Final = ("pilvi.ops.scratch_postgres", "pilvi.ops.scratch_slapd")
MONITORING: Final = ("pilvi.ops.monitoring",)
INSTALL_TIMEOUT_S: Final = 1800


def needed(modules: Iterable[str]) -> list[str]:
    return sorted({name for module in modules for name in import_module(module).APT_PACKAGES})


def missing(names: Iterable[str]) -> list[str]:
    names = list(names)
    if not names or shutil.which("dpkg-query") is None:
        return []
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *names]
    lines = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False).stdout.splitlines()
    present = {line.split()[0] for line in lines if line.split()[1:] == ["ii"]}
    return [name for name in names if name not in present]


def install(names: Iterable[str], say: Say) -> Outcome:
    """Touches the network only when something is missing."""
    names = list(names)
    absent = missing(names)
    if not absent:
        return Outcome(False, f"all {len(names)} are installed")
    if shutil.which("apt-get") is None:
        raise StepFailed(f"This system has no apt-get. Install by hand: {' '.join(absent)}.")
    say("asking the archive")
    _apt("update", "-qq")
    say(f"installing {' '.join(absent)}")
    _apt("install", "-y", "-qq", "--no-install-recommends", *absent)
    return Outcome(True, f"installed {' '.join(absent)}")


def _apt(*arguments: str) -> None:
    # Another apt at work is waited for; a service that a package starts is not ours to run: none belongs to runlevel 1.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "RUNLEVEL": "1"}
    argv = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments]
    result = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        env=environment,
        check=False,
    )
    if result.returncode != 0:
        detail = (result.stderr or result.stdout).strip()[-800:]
        raise StepFailed(
            f"`{' '.join(argv)}` failed: {detail}\nCheck the network and /etc/apt/sources.list, then try again."
        )
