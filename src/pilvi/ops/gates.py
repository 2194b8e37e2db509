"""`check` and `test`: the same gates and tests for a developer, CI and a reviewer, in one order."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pilvi.ops import packages
from pilvi.ops.progress import StepFailed

ROOT: Final = Path(__file__).parents[3]
KINDS: Final = ("unit", "contract", "sim", "integration", "e2e", "acceptance")
SERIAL: Final = ("integration", "e2e", "acceptance")  # Real guests and namespaces share two cores: one after another.
AS_GUESTS: Final = ("busybox", "iputils-ping")  # What namespaces that stand in for guests run.
XML: Final = ("xmlsec1",)  # Another hand than ours, to look at what we sign.
BROWSER: Final = ("chromium",)  # Consoles are looked at as people do.
# Many small databases, none of which has to survive anything.
IN_MEMORY: Final = ("tests/unit", "tests/contract", "tests/sim")
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 pytest makes folders of its own in it
SHARED_MEMORY_BYTES: Final = 1 << 30
"""Where there is less, as in many containers, a full disk would be what tests find."""
NO_TESTS_COLLECTED: Final = 5
SCRIPTS: Final = Path(sys.executable).parent


def check() -> None:
    """Format, lint, types, import contracts, house rules: all of them run, so that one look shows all that is wrong."""
    gates = {
        "format": [str(SCRIPTS / "ruff"), "format", "--check", "--quiet", "--output-format", "concise", "."],
        "lint": [str(SCRIPTS / "ruff"), "check", "--quiet", "--output-format", "concise", "."],
        "types": [str(SCRIPTS / "mypy"), "--no-error-summary"],
        "imports": [str(SCRIPTS / "lint-imports"), "--no-logo"],
        "house": pytest("tests/house"),
    }
    failures = []
    for title, argv in gates.items():
        try:
            gate(title, argv)
        except StepFailed as failure:
            failures.append(str(failure))
    if failures:
        raise StepFailed("; ".join(failures))


def test(kinds: Sequence[str], extra: Sequence[str]) -> None:
    """All checks, then each kind of test, each closing with pytest's own lines."""
    install_packages(kinds)
    check()
    for kind in kinds:
        if any((ROOT / "tests" / kind).rglob("test_*.py")):
            workers = [] if kind in SERIAL else ["-n", str(os.cpu_count() or 2)]
            gate(f"tests/{kind}", pytest(f"tests/{kind}", *workers, *extra), show=True)
        else:
            print(f"same tests/{kind}: there are none", flush=True)


def lock() -> None:
    """Writes requirements/*.lock anew from pyproject.toml: the newest versions that go together."""
    uv = [str(SCRIPTS / "uv"), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
    form = ["--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--upgrade", "--quiet"]
    run, dev = "requirements/run.lock", "requirements/dev.lock"
    gate("requirements/run.lock", [*uv, *form, "-o", run])
    gate("requirements/dev.lock", [*uv, *form, "--group", "dev", "-c", run, "-o", dev])


def install_packages(kinds: Sequence[str]) -> None:
    if os.geteuid() != 0:
        return  # Unit tests need none; others say what is missing.
    modules = {
        "unit": (),
        "contract": packages.TEST,
        "sim": (),
        "integration": (*packages.REAL, *packages.LINUX, *packages.QEMU, *packages.TEST),
        "e2e": (*packages.REAL, *packages.LINUX, *packages.QEMU, *packages.MONITORING),
        "acceptance": packages.REAL,
    }
    wanted = packages.needed(dict.fromkeys(name for kind in kinds for name in modules[kind]))
    wanted += BROWSER if "e2e" in kinds else ()
    wanted += AS_GUESTS if "integration" in kinds else ()
    wanted += XML if "contract" in kinds else ()
    packages.install(wanted, lambda text: print(f"     packages: {text}", flush=True))


def shared_memory() -> Path | None:
    """A folder in memory, if this machine has one with room."""
    is_roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free >= SHARED_MEMORY_BYTES
    return SHARED_MEMORY if is_roomy else None


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *arguments]


def gate(title: str, argv: Sequence[str], *, show: bool = False) -> None:
    """Runs one gate. Its output appears when it fails, or always with `show`."""
    started = time.monotonic()
    environment = {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    memory = shared_memory()
    if title in IN_MEMORY and memory is not None:
        environment["TMPDIR"] = str(memory)
    result = subprocess.run(
        argv,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    took = f"({time.monotonic() - started:.1f} s)"
    if result.returncode not in (0, NO_TESTS_COLLECTED):
        print(result.stdout or "", flush=True)
        raise StepFailed(f"{title} failed {took}: {' '.join(argv)}")
    print(f"good {title} {took}", flush=True)
