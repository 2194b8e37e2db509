"""What `why` says. Pure."""

from dataclasses import dataclass, field
from typing import Any

from pilvi.kernel import causes
from pilvi.kernel.facts import Event, Kept, Place
from pilvi.kernel.past import State


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong."""

    text: str
    """What is wrong, in one sentence, with names and numbers."""
    key: str = ""
    consequence: str = ""
    remedy: str = ""
    who: str = ""


@dataclass(slots=True)
class Story:
    """One subject: how it is, what is wrong with it, and what happened."""

    kind: str
    id: str
    name: str
    state: str
    """In a few words, such as `ACTIVE on node`."""
    causes: list[Cause] = field(default_factory=list)
    """The first one is the cause; others may matter too."""
    events: list[Event] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        about = f"{self.kind} {self.name or self.id}"
        if not self.causes:
            return f"{about} is {self.state}; nothing is wrong."
        return f"{about} is {self.state}: {self.causes[0].text}"


def cause(text: str, *, consequence: str = "", remedy: str = "", who: str = "") -> Cause:
    """With what is known of such trouble filled in where the caller says nothing."""
    flat = " ".join(text.split())
    case = causes.known(flat)
    if case is None:
        return Cause(flat, "", consequence, remedy, who)
    return Cause(flat, case.key, consequence or case.consequence, remedy or case.remedy, who or case.who)


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of one resource's history."""

    kind: str
    id: str
    events: list[Kept]
    """Oldest first."""
    older: Place | None
    """Before which there is more."""


@dataclass(frozen=True, slots=True)
class Past:
    """One resource at one moment."""

    kind: str
    id: str
    state: State
