"""A member: a project that an image is shared with, and what it makes of the offer."""

from dataclasses import dataclass
from typing import Final

MEMBERS_LIMIT: Final = 128
STATUSES: Final = ("pending", "accepted", "rejected")


@dataclass(frozen=True, slots=True)
class Member:
    image_id: str
    member_id: str
    status: str
    created_at: str
    updated_at: str
