"""Who may use the locations API. Upstream's names."""

from pilvi.image.images.policy import GET
from pilvi.kernel.policy import Rule
from pilvi.kernel.policy_language import said

ADD = Rule(
    "add_image_location", said("role:service or (role:member and project_id:%(project_id)s)"),
    "Say where the bytes of a queued image are.",
)  # fmt: skip
FETCH = Rule("fetch_image_location", said("role:service"), "Read where the bytes of an image are.")

__all__ = ["ADD", "FETCH", "GET"]
