"""A trust, and the pure rules of handing it on."""

from dataclasses import dataclass, field
from typing import Any

from pilvi.kernel import clock

LONGEST_CHAIN = 3
"""How often a trust may be handed on."""


@dataclass(frozen=True, slots=True)
class Trust:
    id: str
    trustor_user_id: str
    trustee_user_id: str
    project_id: str | None
    impersonation: bool
    role_ids: list[str]
    expires_at: str | None
    remaining_uses: int | None
    redelegated_trust_id: str | None
    redelegation_count: int
    """How often it may still be handed on."""
    created_at: str
    extra: dict[str, Any] = field(default_factory=dict)

    def is_over(self) -> bool:
        expired = self.expires_at is not None and clock.parse(self.expires_at) <= clock.now()
        return expired or self.remaining_uses == 0
