"""Puts names of what there is into the requests of `wishes.py`."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.sim.atlas import Atlas


class Words:
    def __init__(
        self, atlas: Atlas, rng: random.Random, name: Callable[[str], str], users: Mapping[str, str],
        projects: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._atlas, self._rng, self._name, self._users, self._projects = atlas, rng, name, users, projects

    def filled(self, value: Any, who: str, last: str = "") -> Any:
        """With names in the place of `{kind}`; None where there is no such thing."""
        if isinstance(value, dict):
            found = {key: self.filled(inner, who, last) for key, inner in value.items()}
            return None if any(new is None and value[key] is not None for key, new in found.items()) else found
        if isinstance(value, list):
            entries = [self.filled(inner, who, last) for inner in value]
            return None if None in entries else entries
        return self._text(value, who, last) if isinstance(value, str) else value

    def _text(self, text: str, who: str, last: str) -> str | None:
        for word in list(_words(text)):
            name = self._word(word, who, last)
            if not name:
                return None
            text = text.replace(f"{{{word}}}", name, 1)
        return text

    def _word(self, word: str, who: str, last: str) -> str:
        plain: dict[str, Callable[[], str]] = {
            "new": lambda: self._name("x"), "NEW": lambda: self._name("X").replace("-", "_").upper(),
            "last": lambda: last, "uuid": self.uuid, "me": lambda: self._users[who],
            "mine": lambda: self._projects[who], "other": lambda: self._rng.choice(list(self._projects.values())),
        }  # fmt: skip
        if word in plain:
            return plain[word]()
        kind = word.removeprefix("any:")
        return self._atlas.some(kind, self._rng, own=kind == word)

    def uuid(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _words(text: str) -> Iterator[str]:
    for part in text.split("{")[1:]:
        word = part.partition("}")[0]
        if word and not word.isdigit():
            yield word
