"""What the host says of its servers: one report each, with the steps taken since the last one that arrived."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pilvi.compute.drivers.protocol import DriverFault
from pilvi.kernel import clock, measures, tracing

MOST_STEPS: Final = 50
MOST_ATTEMPTS: Final = 5  # a fault that may pass by itself is told to the user after so many
LONGEST_DELAY_S: Final = 60.0
LONGEST_DETAIL: Final = 2000

Report = dict[str, Any]


class ImageFault(DriverFault):
    """An image of a guest could not be made; the guest itself is as it was."""

    def __init__(self, image_id: str, cause: Exception) -> None:
        if isinstance(cause, DriverFault):
            super().__init__(cause.message, retry=cause.retry, detail=cause.detail)
        else:
            super().__init__("The host met an error in itself; its log has it.", retry=True, detail=repr(cause))
        self.image_id = image_id


@dataclass(slots=True)
class Entry:
    """What is known of one server."""

    power: str = "absent"
    generation: int = 0
    reboot_generation: int = 0
    detail: str = ""
    error: dict[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Faults in a row on the way to one generation."""

    generation: int
    attempts: int
    fault: DriverFault
    again_at: float

    @property
    def is_final(self) -> bool:
        return not self.fault.retry or self.attempts >= MOST_ATTEMPTS

    def told(self) -> dict[str, Any]:
        told = {"message": self.fault.message, "detail": self.fault.detail, "retry": not self.is_final}
        return told | {"image": self.fault.image_id} if isinstance(self.fault, ImageFault) else told


def after(former: Trouble | None, generation: int, fault: DriverFault, now: float) -> Trouble:
    """Growing delays; what cannot succeed by itself waits for another generation."""
    attempts = former.attempts + 1 if former is not None and former.generation == generation else 1
    delay_s = min(LONGEST_DELAY_S, 2.0 ** (attempts - 1)) if fault.retry else float("inf")
    return Trouble(generation, attempts, fault, now + delay_s)


class Journal:
    """Not safe for threads: its owner holds a lock around every call."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def note(self, server_id: str, **changes: Any) -> None:
        entry = self._entries.setdefault(server_id, Entry())
        changed = replace(entry, **changes)
        if changed != entry:
            changed.is_told = False
            self._entries[server_id] = changed

    def power_of(self, server_id: str) -> str:
        entry = self._entries.get(server_id)
        return "absent" if entry is None else entry.power

    def add_step(self, server_id: str, step: dict[str, Any]) -> None:
        entry = self._entries.setdefault(server_id, Entry())
        entry.steps.append(step)
        del entry.steps[:-MOST_STEPS]
        entry.is_told = False

    def keep_only(self, server_ids: Iterable[str]) -> None:
        kept = set(server_ids)
        self._entries = {server_id: entry for server_id, entry in self._entries.items() if server_id in kept}

    def reports(self, *, everything: bool) -> list[Report]:
        return [
            {
                "id": server_id,
                "generation": entry.generation,
                "power": entry.power,
                "reboot_generation": entry.reboot_generation,
                "error": entry.error,
                "steps": list(entry.steps),
            }
            for server_id, entry in self._entries.items()
            if everything or not entry.is_told
        ]

    def sent(self, reports: Iterable[Report]) -> None:
        """These arrived. What changed while they were on the way stays to be told."""
        for report in reports:
            entry = self._entries.get(report["id"])
            if entry is None:
                continue
            arrived = {id(step) for step in report["steps"]}
            entry.steps = [step for step in entry.steps if id(step) not in arrived]
            same = all(getattr(entry, name) == report[name] for name in _TOLD)
            entry.is_told = same and not entry.steps


_TOLD: Final = ("generation", "power", "reboot_generation", "error")


@contextmanager
def timed(name: str, request_id: str, steps: list[dict[str, Any]]) -> Iterator[None]:
    """Appends the step to `steps` with its time, duration and outcome; the fault goes on its way."""
    at, began = clock.timestamp(), clock.monotonic()
    outcome, detail = "done", ""
    try:
        with tracing.working_for(request_id), tracing.span(f"driver {name}", request_id):
            yield
    except DriverFault as fault:
        outcome, detail = "failed", f"{fault.message} {fault.detail}".strip()[:LONGEST_DETAIL]
        raise
    except BaseException as error:
        outcome, detail = "failed", f"{type(error).__name__}: {error}"[:LONGEST_DETAIL]
        raise
    finally:
        duration_s = clock.monotonic() - began
        measures.driver_call(str(name), outcome, duration_s)
        duration_ms = round(duration_s * 1000, 1)
        steps.append(
            {
                "step": name,
                "at": at,
                "duration_ms": duration_ms,
                "outcome": outcome,
                "detail": detail,
                "request_id": request_id,
            }
        )
