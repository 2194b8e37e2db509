"""What limits of identity mean for images. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
SIZE, STAGED, COUNT, UPLOADING = "image_size_total", "image_stage_total", "image_count_total", "image_count_uploading"
NAMES: Final = (SIZE, STAGED, COUNT, UPLOADING)
UNLIMITED: Final = -1


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project has now."""

    size_bytes: int
    """In stores; an image in two stores counts twice."""
    staged_bytes: int
    count: int
    uploading: int

    @property
    def by_name(self) -> Mapping[str, int]:
        """In the units of the limits: whole MiB, and images."""
        staged_mib, size_mib = self.staged_bytes // MIB, self.size_bytes // MIB
        return {SIZE: size_mib, STAGED: staged_mib, COUNT: self.count, UPLOADING: self.uploading}


def is_over(used: int, more: int, limit: int | None) -> bool:
    return limit is not None and limit != UNLIMITED and used + more > limit
