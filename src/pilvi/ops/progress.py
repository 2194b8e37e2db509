"""Shows steps as they happen: a spinner on a terminal, plain lines everywhere else."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a step did. `changed` False: everything was there already."""

    changed: bool
    text: str


class StepFailed(Exception):
    """A step cannot be done; the message says why and what to do."""


Say = Callable[[str], None]


class Progress:
    """Runs steps one after another and remembers whether any of them changed something."""

    def __init__(self) -> None:
        self.changes = 0
        self._console: Any = None
        if sys.stdout.isatty():
            from rich.console import Console  # Only a terminal pays for it.

            self._console = Console(highlight=False)

    def step(self, title: str, action: Callable[[Say], Outcome]) -> Outcome:
        started = time.monotonic()
        with self._spinner(title) as status:
            outcome = action(lambda text: self._update(status, title, text))
        self.changes += outcome.changed
        self._line(title, outcome, time.monotonic() - started)
        return outcome

    def say(self, text: str) -> None:
        print(text, flush=True)

    def _spinner(self, title: str) -> AbstractContextManager[Any]:
        return self._console.status(title) if self._console else nullcontext()

    def _update(self, status: Any, title: str, text: str) -> None:
        if status is not None:
            status.update(f"{title}: {text}")
        else:
            print(f"     {title}: {text}", flush=True)

    def _line(self, title: str, outcome: Outcome, took_s: float) -> None:
        mark = "done" if outcome.changed else "same"
        took = f"  ({took_s:.1f} s)" if took_s >= 1 else ""
        if self._console:
            colour = "green" if outcome.changed else "bright_black"
            self._console.print(f"[{colour}]{mark}[/] {title}: {outcome.text}{took}", markup=True)
        else:
            print(f"{mark} {title}: {outcome.text}{took}", flush=True)
