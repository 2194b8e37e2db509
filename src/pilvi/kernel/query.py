"""Query strings: repeated keys kept, numbers and markers checked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pilvi.kernel.errors import BadRequest
from pilvi.kernel.wire import boolean

PAIRS_LIMIT = 2000


class Query:
    """The parameters of one request, in order."""

    __slots__ = ("pairs", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=PAIRS_LIMIT) if text else []
        except ValueError:
            raise BadRequest(f"The query string has more than {PAIRS_LIMIT} parameters.") from None

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self.pairs))

    def get(self, name: str, default: str | None = None) -> str | None:
        """The last value given, as most services take it."""
        found = default
        for key, value in self.pairs:
            if key == name:
                found = value
        return found

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean; present without a value counts as true, as upstream takes it."""
        value = self.get(name)
        if value is None:
            return default
        return True if value == "" else boolean(value)

    def number(self, name: str, *, least: int = 0, most: int | None = None) -> int | None:
        text = self.get(name)
        if text is None:
            return None
        try:
            number = int(text)
        except ValueError:
            raise BadRequest(f"{name} must be an integer, not {text!r}.") from None
        if number < least:
            raise BadRequest(f"{name} must be {least} or more, not {number}.")
        return number if most is None else min(number, most)

    def limit(self, *, most: int | None = 1000) -> int | None:
        """The page size asked for, at most `most`; without one, `most`."""
        asked = self.number("limit", most=most)
        return most if asked is None else asked

    def filters(self, known: Iterable[str]) -> dict[str, list[str]]:
        """The parameters among `known`, each with all its values."""
        wanted = set(known)
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            if key in wanted:
                found.setdefault(key, []).append(value)
        return found

    def with_changes(self, changes: Mapping[str, Any]) -> str:
        """The query string with some parameters replaced (None removes), for next-page links."""
        from urllib.parse import urlencode

        kept = [(k, v) for k, v in self.pairs if k not in changes]
        return urlencode([*kept, *((k, v) for k, v in changes.items() if v is not None)])
