from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    id: str
    auth_url: str
    sp_url: str
    enabled: bool
    description: str | None
    relay_state_prefix: str
