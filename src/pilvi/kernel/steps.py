"""Timed calls of a driver on the way of one operation; `facts.tell` makes them events in its last transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pilvi.kernel import clock, measures
from pilvi.kernel.errors import Fault

MOST: Final = 50
"""Steps that wait for their transaction; those of one operation are a handful."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    at: str
    duration_ms: float
    message: str
    """Why it failed; empty when it did not."""
    text: str


class Steps:
    """The steps of one operation. One thread at a time."""

    def __init__(self) -> None:
        self.taken: list[Step] = []

    @contextmanager
    def timed(self, name: str, text: str = "") -> Iterator[None]:
        """One call of a driver; its fault goes on its way. The name is counted, too: few of them, never an id."""
        at, began, message = clock.timestamp(), clock.monotonic(), ""
        try:
            yield
        except BaseException as error:
            message = error.message if isinstance(error, Fault) else str(error) or type(error).__name__
            raise
        finally:
            took_s = clock.monotonic() - began
            measures.driver_call(name, "failed" if message else "done", took_s)
            if len(self.taken) < MOST:
                self.taken.append(Step(name, at, round(took_s * 1000, 1), message, text))

    def forget(self, told: list[Step]) -> None:
        """These are events now."""
        self.taken = [step for step in self.taken if step not in told]
