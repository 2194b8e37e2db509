"""What is typed after ./pilvi. Here words become calls; the work is in pilvi.ops.

Commands that start a process of the cloud are looked up first and import nothing they do not need: their memory
is the cloud's.
"""

import os
import sys
from typing import NoReturn


def main(words: list[str] | None = None) -> NoReturn:
    words = list(sys.argv[1:] if words is None else words)
    take_state(words)
    if words and words[0] in ("api", "live", "agent", "supervise", "migrate", "bootstrap", "renew"):
        from pilvi.cli import internal

        sys.exit(internal.run(words[0], words[1:]))
    from pilvi.cli.commands import run

    sys.exit(run(words))


def take_state(words: list[str]) -> None:
    """`--state DIR` may stand before any command; what follows a command may belong to another program."""
    if words and words[0] == "--state" and len(words) > 1:
        os.environ["PILVI_STATE"] = words[1]
        del words[:2]
    elif words and words[0].startswith("--state="):
        os.environ["PILVI_STATE"] = words[0].removeprefix("--state=")
        del words[:1]
