"""A task: work on an image that goes on after its request was answered, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

EXPIRES_AFTER_S: Final = 48 * 3600.0


class TaskStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILURE = "failure"


FINAL: Final = (TaskStatus.SUCCESS, TaskStatus.FAILURE)


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    type: str
    """`api_image_import`, or `import` where an administrator asked for the task itself."""
    status: str
    owner: str
    user_id: str
    image_id: str
    request_id: str
    input: dict[str, Any]
    result: dict[str, Any] | None
    message: str
    created_at: str
    updated_at: str
    expires_at: str | None

    @property
    def is_over(self) -> bool:
        return self.status in FINAL
