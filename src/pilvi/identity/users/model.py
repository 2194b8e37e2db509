"""A user, and the pure rules about passwords and lock-out."""

from dataclasses import dataclass, field
from typing import Any

DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    domain_id: str
    enabled: bool
    default_project_id: str | None
    password_hash: str | None
    password_changed_at: str | None
    password_expires_at: str | None
    failures: int
    """Wrong passwords in a row."""
    failed_at: float
    tokens_after: int
    """Tokens issued before this microsecond do not count any more."""
    active_at: float = 0.0
    """When somebody last proved to be this user, to a day or so; kept where a site looks at it."""
    options: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    """Empty: an account of ours. DIRECTORY: one of a directory. The user's own id: known by an identity provider's
    word, where names need not be unique."""
    federated: list[dict[str, Any]] = field(default_factory=list)
    """What the user is called at identity providers, as the API shows it."""


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a site demands; all off by default."""

    lockout_failures: int = 0
    lockout_s: float = 1800.0
    expires_after_days: int = 0
    minimum_age_days: float = 0.0
    unique_last: int = 0
    regex: str = ""
    regex_description: str = ""
    change_first: bool = False
    """What an administrator set is good for choosing another one only."""
    inactive_days: int = 0


def is_locked_out(user: User, rules: PasswordRules, now: float) -> bool:
    if not rules.lockout_failures or user.options.get("ignore_lockout_failure_attempts"):
        return False
    return user.failures >= rules.lockout_failures and now < user.failed_at + rules.lockout_s


def failures_after_wrong_password(user: User, rules: PasswordRules, now: float) -> int:
    """A lock-out that is over starts the count again."""
    over = user.failures >= rules.lockout_failures and now >= user.failed_at + rules.lockout_s
    return 1 if over else user.failures + 1


def federated_names(federated: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Provider, protocol and name there, from what the API shows as `federated`."""
    return [(one["idp_id"], p["protocol_id"], p["unique_id"]) for one in federated for p in one["protocols"]]


DAY_S = 86400.0


def is_inactive(user: User, rules: PasswordRules, now: float) -> bool:
    """Nobody was this user for so long that the account counts as disabled."""
    if not rules.inactive_days or user.options.get("ignore_user_inactivity") or not user.active_at:
        return False
    return now >= user.active_at + rules.inactive_days * DAY_S


def is_enabled(user: User, rules: PasswordRules, now: float) -> bool:
    return user.enabled and not is_inactive(user, rules, now)


def must_note_activity(user: User, rules: PasswordRules, now: float) -> bool:
    """Once a day will do: a write per login would cost more than it tells."""
    return bool(rules.inactive_days) and now >= user.active_at + DAY_S
