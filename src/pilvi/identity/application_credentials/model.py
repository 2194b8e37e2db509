from dataclasses import dataclass
from typing import Any

from pilvi.kernel import clock


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One kind of request that a credential may be used for."""

    id: str
    user_id: str
    service: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class ApplicationCredential:
    id: str
    user_id: str
    project_id: str
    name: str
    description: str
    secret_hash: str
    role_ids: list[str]
    unrestricted: bool
    """May make trusts and other application credentials."""
    expires_at: str | None
    access_rule_ids: list[str] | None
    """None: any request; else only those that a rule allows."""
    parent_id: str = ""
    """The application credential that this one was made with: it goes when that one goes."""

    def is_expired(self) -> bool:
        return self.expires_at is not None and clock.parse(self.expires_at) <= clock.now()


def allows(rules: list[dict[str, Any]], service: str, method: str, path: str) -> bool:
    """Whether a request is among those that the rules name. `*` and `{x}` stand for one part, `**` for the rest."""
    return any(
        rule["service"] == service and rule["method"] == method and _path_matches(rule["path"], path) for rule in rules
    )


def _path_matches(pattern: str, path: str) -> bool:
    wanted, parts = pattern.strip("/").split("/"), path.strip("/").split("/")
    for i, part in enumerate(wanted):
        if part == "**":
            return True
        if i >= len(parts):
            return False
        any_one = part == "*" or (part.startswith("{") and part.endswith("}"))
        if not any_one and part != parts[i]:
            return False
    return len(wanted) == len(parts)
