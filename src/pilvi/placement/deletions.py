"""What must go with a provider. Resources register here, so that providers need not know them all."""

from collections.abc import Callable

from pilvi.kernel.db import Tx

Release = Callable[[Tx, str], None]
provider_listeners: list[Release] = []


def provider(release: Release) -> Release:
    """A decorator: `release(tx, uuid)` is called when a provider is deleted; it may refuse by raising."""
    provider_listeners.append(release)
    return release


def announce_provider(tx: Tx, uuid: str) -> None:
    for release in provider_listeners:
        release(tx, uuid)
