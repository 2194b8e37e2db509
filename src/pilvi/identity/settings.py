"""What the operator set for identity, read once by `routes.service`. One place per process."""

from dataclasses import dataclass, field

from pilvi.identity.users.model import PasswordRules


@dataclass(slots=True)
class Settings:
    token_lifetime_s: float = 3600.0
    passwords: PasswordRules = field(default_factory=PasswordRules)
    expired_token_grace_s: float = 48 * 3600.0
    """How long after its end a service may still validate a token (`allow_expired`)."""
    limit_model: str = "flat"
    """How limits of parents and children relate: `flat` or `strict_two_level`."""


current = Settings()
