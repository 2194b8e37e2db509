"""An endpoint and the substitution of names in its URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pilvi.kernel.errors import BadRequest

_PLACE = re.compile(r"[%$]\(([A-Za-z_]+)\)s")
PROJECT_NAMES = frozenset({"project_id", "tenant_id"})
KNOWN_NAMES = PROJECT_NAMES | {"user_id"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    interface: str
    url: str
    service_id: str
    region_id: str | None
    enabled: bool
    extra: dict[str, Any] = field(default_factory=dict)


def check_url(url: str) -> None:
    """Only names that every token can fill in may stand in a URL."""
    unknown = set(_PLACE.findall(url)) - KNOWN_NAMES
    if unknown or "%(" in _PLACE.sub("", url) or "$(" in _PLACE.sub("", url):
        known = ", ".join(f"$({name})s" for name in sorted(KNOWN_NAMES))
        raise BadRequest(f"The endpoint's URL {url} has a placeholder that cannot be filled in; known are {known}.")


def filled_in(url: str, names: Mapping[str, str]) -> str | None:
    """The URL for one token, or None when it needs a project and the token has none."""
    wanted = _PLACE.findall(url)
    if not wanted:
        return url
    if any(not names.get(name) for name in wanted):
        return None
    return _PLACE.sub(lambda match: names[match.group(1)], url)
