"""Runs a host tool on files: no shell, bounded in time, memory and output, if asked as an unprivileged user."""

import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pilvi.compute.drivers.protocol import DriverFault

TIMEOUT_S: Final = 600.0
MOST_CPU_S: Final = 300
MOST_MEMORY_BYTES: Final = 2 * 1024**3


def run(argv: Sequence[str], *, directory: Path, uid: int | None = None) -> str:
    """Standard output of a tool that must succeed. A host's tool that fails may succeed later: the fault is retried."""
    identity: dict[str, object] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    try:
        child = subprocess.Popen(  # type: ignore[call-overload]
            list(argv),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            umask=0o077,
            **identity,
        )
    except OSError as error:
        raise DriverFault(
            f"{argv[0]} cannot be started: {error.strerror}. `./pilvi up` installs it.", retry=True
        ) from error
    with child:
        _limit(child.pid)
        try:
            output, said = child.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as late:
            child.kill()
            raise DriverFault(f"{argv[0]} did not end within {TIMEOUT_S:.0f} s.", retry=True) from late
    if child.returncode != 0:
        detail = said.decode(errors="replace").strip()[-1000:]
        raise DriverFault(f"{argv[0]} failed with {child.returncode}.", retry=True, detail=detail)
    return str(output.decode(errors="replace"))


def _limit(pid: int) -> None:
    """Limits are set from outside: code between fork and exec is not safe in a process with threads."""
    try:
        resource.prlimit(pid, resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
        resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    except (ProcessLookupError, PermissionError):
        return  # it has ended already, or the machine's own limits are tighter
