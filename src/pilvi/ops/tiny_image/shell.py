"""Runs the host's tools for the image build: C locale, bounded time, an error that shows what the tool said."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

EPOCH = 1_700_000_000
TIMEOUT_S = 600


class TinyImageFault(RuntimeError):
    """The image could not be built; the message says which step failed and what to do."""


def run(argv: Sequence[str | Path], *, cwd: Path | None = None, stdin: bytes | None = None) -> str:
    """Standard output of a tool that must succeed."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, cwd=cwd, input=stdin, capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False
        )
    except FileNotFoundError as missing:
        raise TinyImageFault(f"{words[0]} is not installed. Install the packages of APT_PACKAGES.") from missing
    except subprocess.TimeoutExpired as late:
        raise TinyImageFault(f"{' '.join(words)} did not end within {TIMEOUT_S} s.") from late
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise TinyImageFault(f"{' '.join(words)} failed with {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")


def environment() -> Mapping[str, str]:
    """What makes mtools, mkfs and cpio write the same bytes on every run."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/root"),
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "E2FSPROGS_FAKE_TIME": str(EPOCH),
        "MTOOLS_SKIP_CHECK": "1",
        "DEBIAN_FRONTEND": "noninteractive",
    }
