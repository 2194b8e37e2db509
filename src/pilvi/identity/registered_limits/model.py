from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisteredLimit:
    id: str
    service_id: str
    region_id: str | None
    resource_name: str
    default_limit: int
    description: str | None
