"""Who asks, for which project, with which roles, under which request id. Immutable but for the rules checked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a token stands for, with the roles in force at this moment (implied roles included)."""

    user_id: str
    user_name: str = ""
    user_domain_id: str = ""
    user_domain_name: str = ""
    project_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None
    project_domain_name: str | None = None
    domain_id: str | None = None
    domain_name: str | None = None
    system: bool = False
    roles: frozenset[str] = frozenset()
    expires_at: float = 0.0
    audit_id: str = ""
    token: Any = None
    """The identity service's own record of the token; nobody else looks into it."""


ANONYMOUS = Principal(user_id="")


def _no_header(name: str) -> str | None:
    return None


def token_of(header: Callable[[str], str | None]) -> str:
    """What a request shows: our own header, or a bearer token as clients of OAuth 2.0 send it."""
    token = header("X-Auth-Token")
    if token:
        return token
    scheme, _, value = (header("Authorization") or "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


@dataclass(slots=True)
class Context:
    """One request or loop turn."""

    request_id: str
    principal: Principal = ANONYMOUS
    service_roles: frozenset[str] = frozenset()
    """Roles of the X-Service-Token, if one came along."""
    host: str | None = None
    """The name of the host whose agent asks, proven by its certificate."""
    version: int = 0
    """Minor microversion in force, for `api.py` and views only."""
    base_url: str = ""
    """Public URL of the service asked, without a slash at the end."""
    cloud_url: str = ""
    """Public URL of the whole cloud, without a slash at the end."""
    method: str = ""
    path: str = ""
    checked: set[str] = field(default_factory=set)
    """Names of the rules that were checked on a real target."""
    resource: tuple[str, str, str] | None = None
    """Type, id and name of what the request was about, for the event."""
    asked: Any = None
    """The decoded body, so that the event of a refused request can name what was wanted."""
    started: float = 0.0
    """When the request came, on the monotonic clock."""
    token_id: str = ""
    remote: str = ""
    header: Callable[[str], str | None] = _no_header
    """A header of the request, for the few APIs that speak in headers (X-Subject-Token)."""
    trace_id: str = ""
    """The caller's own trace, where it sent a `traceparent`."""
    database: Any = None
    """For a route's `then`, which runs after the transaction and may need another one."""

    @property
    def user_id(self) -> str:
        return self.principal.user_id

    @property
    def project_id(self) -> str:
        """The project of the token; empty when the token has none."""
        return self.principal.project_id or ""

    @property
    def domain_id(self) -> str | None:
        return self.principal.domain_id

    @property
    def roles(self) -> frozenset[str]:
        return self.principal.roles

    @property
    def is_admin(self) -> bool:
        return "admin" in self.principal.roles

    def about(self, kind: str, id: str, name: str = "") -> None:
        """Say what this request is about, so that its event can be found by id and name."""
        self.resource = (kind, id, name)


def internal(request_id: str, *, project_id: str | None = None, user_id: str = "pilvi") -> Context:
    """A context with all rights for the cloud's own loops and bootstrap."""
    roles = frozenset({"admin", "manager", "member", "reader", "service"})
    return Context(request_id, Principal(user_id=user_id, user_name=user_id, project_id=project_id, roles=roles))
