"""What there is, as paths: learnt from answers, so that whoever reads, changes or deletes by the table of routes knows
where its paths lead."""

import random
from dataclasses import dataclass
from typing import Any

from tests.sim.wire import Reply

KEYS = ("id", "uuid", "access", "namespace", "request_id", "port_id", "network_id", "name")
"""What objects are called in paths; the first that there is."""
SETS = ("tags", "metadata", "extra_specs")
"""Parts that are given all at once, and have names that stand in paths."""
MOST = 1500


@dataclass(frozen=True)
class Place:
    """A thing that there is."""

    parts: tuple[str, ...]
    who: str
    """Who made it."""
    is_own: bool = True
    """Made by the workload, which may change it and take it away."""

    @property
    def path(self) -> str:
        return "/".join(self.parts)


class Atlas:
    def __init__(self) -> None:
        self.places: dict[tuple[str, ...], Place] = {}
        self.news: list[str] = []
        """What the last answer told of."""
        self.fixed: set[tuple[str, ...]] = set()
        """What was there from the start, and stays."""

    def copy(self) -> "Atlas":
        found = Atlas()
        found.places, found.fixed = dict(self.places), set(self.fixed)
        return found

    def add(self, who: str, path: str, *, is_fixed: bool = False, is_own: bool = True) -> None:
        self.news.append(path)
        parts = tuple(path.partition("?")[0].split("/"))
        self.places.setdefault(parts, Place(parts, who, is_own and not is_fixed))
        if is_fixed:
            self.fixed.add(parts)
        if len(self.places) > MOST:
            oldest = next(parts for parts in self.places if parts not in self.fixed)
            del self.places[oldest]

    def learn(self, who: str, method: str, path: str, body: Any, reply: Reply) -> None:
        self.news = []
        if reply.status < 300 and method in ("POST", "PUT") and isinstance(body, dict):
            for kind in SETS:
                for name in body.get(kind, ()):
                    if isinstance(name, str):
                        self.add(who, f"{path}/{name}")
        if method == "DELETE" and (reply.status < 300 or reply.status == 404):
            self.forget(path)
        elif reply.status < 300 and method == "POST" and not path.endswith("/action"):
            for name in _made(reply):
                self.add(who, f"{path.partition('?')[0]}/{name}")
        elif reply.status < 300 and method in ("PUT", "PATCH"):
            self.add(who, path)

    def learn_entries(self, path: str, reply: Reply) -> None:
        """What a list shows: somebody made it, or the cloud itself."""
        if reply.status == 200:
            for name in _made(reply):
                self.add("admin", f"{path}/{name}", is_own=False)

    def learn_list(self, who: str, path: str, reply: Reply) -> None:
        """These are the cloud's own."""
        for entries in reply.body.values():
            for entry in entries if isinstance(entries, list) else []:
                self.add(who, f"{path}/{next(entry[key] for key in KEYS if key in entry)}", is_fixed=True)

    def forget(self, path: str) -> None:
        gone = tuple(path.partition("?")[0].split("/"))
        for parts in [one for one in self.places if one[: len(gone)] == gone]:
            if parts not in self.fixed:
                del self.places[parts]

    def find(self, template: str, rng: random.Random, *, own: bool = False) -> tuple[str, str] | None:
        """A path for this template that should lead somewhere, and who made what is there. `own`: nothing that was
        there from the start."""
        wanted = template.split("/")
        found = [place for parts, place in self.places.items()
                 if fits(wanted, parts) and (not own or (place.is_own and len(parts) <= len(wanted)))]  # fmt: skip
        if not found:
            return None if own else self._guess(wanted, rng)
        longest = max(min(len(place.parts), len(wanted)) for place in found)
        place = rng.choice([one for one in found if min(len(one.parts), len(wanted)) == longest])
        return "/".join([*place.parts[: len(wanted)], *wanted[len(place.parts) :]]), place.who

    def _guess(self, wanted: list[str], rng: random.Random) -> tuple[str, str] | None:
        """A path of which every name is one of the right kind."""
        parts: list[str] = []
        for part in wanted:
            parts.append(self.some(f"{wanted[1]}:{parts[-1]}", rng, own=False) if part.startswith("{") else part)
        return ("/".join(parts), "") if all(parts[1:]) else None

    def some(self, kind: str, rng: random.Random, *, own: bool = True) -> str:
        """The name of a thing whose path ends with `/kind/name`; empty when there is none."""
        service, _, kind = kind.rpartition(":")
        kept = {parts[-1] for parts in self.fixed}  # Such as a role that stands at the end of a grant, too.
        found = [
            place for parts, place in self.places.items()
            if len(parts) > 2 and parts[-2] == kind and (not service or parts[1] == service)
            and not (own and (parts[-1] in kept or not place.is_own))
        ]  # fmt: skip
        return rng.choice(found).parts[-1] if found else ""


def fits(wanted: list[str], parts: tuple[str, ...]) -> bool:
    """The path is as long as the template or longer, or what is missing has no parameters."""
    if any("{" in part for part in wanted[len(parts) :]):
        return False
    return all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=False))


def _made(reply: Reply) -> list[str]:
    """The names of what a POST made."""
    try:
        body: Any = reply.body
    except ValueError:
        return []
    inner = body
    if isinstance(body, dict) and not any(key in body for key in KEYS):
        inner = next((value for value in body.values() if isinstance(value, list)), next(iter(body.values()), None))
        if path_names := body.get("addresses"):
            return list(path_names)
    entries = inner if isinstance(inner, list) else [inner]
    return [
        str(next(entry[key] for key in KEYS if key in entry))
        for entry in entries
        if isinstance(entry, dict) and any(key in entry for key in KEYS)
    ]
