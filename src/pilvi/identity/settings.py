"""What the operator set for identity, read once by `routes.service`. One place per process."""

from dataclasses import dataclass, field
from pathlib import Path

from pilvi.identity import issuers
from pilvi.identity.issuers import Issuer
from pilvi.identity.users.model import PasswordRules
from pilvi.kernel.config import Config, IdentityConfig
from pilvi.kernel.secret_files import SecretFile


@dataclass(slots=True)
class Settings:
    token_lifetime_s: float = 3600.0
    passwords: PasswordRules = field(default_factory=PasswordRules)
    expired_token_grace_s: float = 48 * 3600.0
    """How long after its end a service may still validate a token (`allow_expired`)."""
    limit_model: str = "flat"
    """How limits of parents and children relate: `flat` or `strict_two_level`."""
    issuers: dict[str, Issuer] = field(default_factory=dict)
    """OpenID Connect issuers by the id of their identity provider."""
    directory_s: float = 300.0
    """How often the directories of domains are mirrored."""
    dashboards: tuple[str, ...] = ()
    """Where a browser's login may end."""
    public_url: str = "http://127.0.0.1:8780"
    saml_path: Path | None = None
    """Key and certificate that sign assertions for other clouds."""
    sealing: SecretFile | None = None
    """What the keys in the database are sealed with; None: they lie there in clear (a cloud in memory)."""


current = Settings()


def read(whole: Config) -> None:
    """Put the operator's file in force."""
    config: IdentityConfig = whole.identity
    current.public_url = whole.cloud.public_url.rstrip("/")
    current.saml_path = whole.paths.saml_certificate
    current.token_lifetime_s = float(config.token_lifetime_s)
    current.limit_model = config.limit_model
    current.directory_s = float(config.directory_s)
    current.issuers = issuers.load(config.oidc_path)
    current.dashboards = tuple(config.dashboards.split())
    current.expired_token_grace_s = float(config.expired_token_s)
    current.passwords = PasswordRules(
        lockout_failures=config.lockout_failures,
        lockout_s=float(config.lockout_s),
        expires_after_days=config.password_days,
        minimum_age_days=float(config.password_minimum_days),
        unique_last=config.password_history,
        regex=config.password_regex,
        regex_description=config.password_regex_description,
        change_first=config.password_change_first,
        inactive_days=config.inactive_days,
    )
