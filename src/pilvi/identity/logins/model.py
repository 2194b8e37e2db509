"""A login on its way, between the transaction that finds out what to check and the one that issues the token."""

from dataclasses import dataclass, field

from pilvi.identity.application_credentials.model import ApplicationCredential
from pilvi.identity.projects.model import Project
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens.model import Request
from pilvi.identity.users.model import User


@dataclass(slots=True)
class Check:
    """A secret and the hash that it must fit; without a hash it is checked against nothing and is wrong."""

    secret: str
    hashed: str | None
    is_password: bool = True


@dataclass(slots=True)
class Login:
    request: Request
    user: User | None = None
    user_domain: Project | None = None
    is_sound: bool = True
    """False as soon as anything is wrong; the checks run all the same, so that time tells nothing."""
    checks: list[Check] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    parent: Validated | None = None
    """The token that this one is made from."""
    credential: ApplicationCredential | None = None
    passcodes: list[tuple[str, list[str]]] = field(default_factory=list)
    """One-time passcodes, each with the secrets that it may come from."""
