"""Time, injectable, so that tests and the simulator can own it."""

import math
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never go backwards, for durations and waits."""


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


_clock: Clock = SystemClock()


def use(clock: Clock) -> Clock:
    """Put another clock in force for this process and return the former one."""
    global _clock
    former, _clock = _clock, clock
    return former


def now() -> float:
    return _clock.now()


def monotonic() -> float:
    return _clock.monotonic()


def timestamp(at: float | None = None) -> str:
    """UTC as `2026-11-22T15:04:05.000006Z`: sorts as text; views cut it to what their API shows."""
    moment = _clock.now() if at is None else at
    second = math.floor(moment)
    micros = round((moment - second) * 1_000_000)
    if micros == 1_000_000:
        second, micros = second + 1, 0
    return f"{_second_text(second)}.{micros:06d}Z"


@lru_cache(64)
def _second_text(second: int) -> str:
    """Many stamps fall into the second that the last one fell into."""
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def parse(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; a time without a zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    try:
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).timestamp()
    except OverflowError:  # Its zone puts it before the year 1 or after 9999.
        raise ValueError(f"{text} is out of range") from None


def seconds(stamp: str) -> str:
    """A timestamp without its fraction, as compute, image and network show it."""
    return stamp[:19] + "Z"
