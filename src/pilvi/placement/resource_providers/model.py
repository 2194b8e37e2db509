from dataclasses import dataclass

CREATED_WITH_BODY_SINCE = 20


@dataclass(frozen=True, slots=True)
class Provider:
    uuid: str
    name: str
    generation: int
    parent_uuid: str | None
    root_uuid: str
    created_at: str
    updated_at: str
