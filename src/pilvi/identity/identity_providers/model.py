from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    id: str
    domain_id: str
    enabled: bool
    description: str | None
    authorization_ttl: int | None
    """Minutes for which group memberships from there count."""
    remote_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Protocol:
    idp_id: str
    id: str
    mapping_id: str
    remote_id_attribute: str | None
