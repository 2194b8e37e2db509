"""Puts rulesets into a namespace: the difference when it is known what is there, everything when it is not.

Whether somebody else has touched the rules is seen by the kernel's generation counter, which costs one message.
"""

import subprocess
from dataclasses import dataclass

from pilvi.network.drivers.linux import namespaces
from pilvi.network.drivers.linux.ruleset import Ruleset, difference, replacement

_TIMEOUT_S = 60
_MESSAGE_CHARACTERS = 400


class NftError(Exception):
    """nft refused a script. Nothing of it was applied."""


@dataclass(slots=True)
class Applied:
    """What we put into a namespace, and the generation that made."""

    ruleset: Ruleset
    generation: int


def run(namespace: str, script: str, *, check_only: bool = False) -> None:
    command = ["nft", "-c", "-f", "-"] if check_only else ["nft", "-f", "-"]

    def execute() -> "subprocess.CompletedProcess[str]":
        # The child is born in the namespace of the thread that starts it.
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)

    try:
        done = namespaces.inside(namespace, execute)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftError(f"Cannot run nft: {error}") from error
    if done.returncode != 0:
        raise NftError(done.stderr.strip()[:_MESSAGE_CHARACTERS] or f"nft ended with status {done.returncode}")


def put(namespace: str, wanted: Ruleset, before: Ruleset | None) -> None:
    """Makes the rules those wanted, in one transaction. `before` is what is known to be there, if it is known."""
    script = difference(before, wanted) if before is not None else None
    if script is not None:
        try:
            run(namespace, script)
        except NftError:
            script = None  # It was not as we believed: replace it as a whole.
    if script is None:
        run(namespace, replacement(wanted))
