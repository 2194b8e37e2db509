"""Limits of images. Identity keeps them, per project; a limit that nobody registered there does not bind."""

from collections.abc import Mapping

from pilvi.identity import facade as identity
from pilvi.image.quotas.model import NAMES, UNLIMITED, Usage, is_over
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import TooLarge


def enforce(tx: Tx, project_id: str, usage: Usage, more: Mapping[str, int]) -> None:
    """Raises when the project has more than its limits, or would have.

    For sizes `more` is 0: nobody knows the size before the bytes have come, so what is checked is that the project is
    not over its limit already. Call it under a lock on the project's images.
    """
    for name, amount in more.items():
        limit, used = identity.limit_in_force(tx, "image", name, project_id), usage.by_name[name]
        if is_over(used, amount, limit):
            raise TooLarge(
                f"The project has {used} of {limit} {name}: delete images, or ask an administrator for a higher limit."
            )


def shown(tx: Tx, project_id: str, usage: Usage) -> dict[str, dict[str, int]]:
    found = {name: identity.limit_in_force(tx, "image", name, project_id) for name in NAMES}
    limits = {name: UNLIMITED if limit is None else limit for name, limit in found.items()}
    return {name: {"usage": usage.by_name[name], "limit": limits[name]} for name in NAMES}
