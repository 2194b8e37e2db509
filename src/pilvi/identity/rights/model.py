"""The result of looking at a token, and the parts of its document that do not change while rights do not."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from pilvi.identity.application_credentials.model import ApplicationCredential
from pilvi.identity.oauth_tokens.model import OAuthToken
from pilvi.identity.projects.model import Project
from pilvi.identity.roles.model import Role
from pilvi.identity.tokens.model import Token
from pilvi.identity.trusts.model import Trust
from pilvi.identity.users.model import User


@dataclass(slots=True)
class Rights:
    """One user in one scope. Shared by all tokens that say the same, in one epoch."""

    user: User
    user_domain: Project
    project: Project | None
    domain: Project | None
    """The scope when it is a domain, or the project's domain."""
    system: bool
    roles: tuple[Role, ...]
    tokens_after: int
    """Tokens issued before this microsecond are worthless."""
    application_credential: ApplicationCredential | None = None
    access_rules: list[dict[str, Any]] | None = None
    trust: Trust | None = None
    access: OAuthToken | None = None
    """What the user gave to a consumer of OAuth."""
    lasting_group_ids: tuple[str, ...] = ()
    """Groups in which the user is by an identity provider's word."""
    until: float = inf
    """When the first of the user's memberships ends that only last for a time."""
    fragments: dict[bool, bytes] = field(default_factory=dict)
    """The constant part of the token's document, with and without catalog."""

    @property
    def ends(self) -> bool:
        """May come to less without any change in the database."""
        delegated = (self.application_credential, self.trust, self.access)
        return any(one is not None for one in delegated) or self.until != inf

    @property
    def is_domain_scoped(self) -> bool:
        return self.project is None and self.domain is not None


@dataclass(frozen=True, slots=True)
class Validated:
    """A token that counts, and what it comes to."""

    token: Token
    rights: Rights

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.rights.roles

    @property
    def application_credential(self) -> ApplicationCredential | None:
        return self.rights.application_credential

    @property
    def trust(self) -> Trust | None:
        return self.rights.trust
