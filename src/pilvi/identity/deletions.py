"""What must go when a user, project … goes. Resources register here, so that nobody has to know them all."""

from collections.abc import Callable

from pilvi.kernel.db import Tx

Release = Callable[[Tx, str], None]


class Deletion:
    """The listeners of one kind of resource. Use it as a decorator for `release(tx, id)` functions."""

    def __init__(self) -> None:
        self._listeners: list[Release] = []

    def __call__(self, release: Release) -> Release:
        self._listeners.append(release)
        return release

    def announce(self, tx: Tx, id: str) -> None:
        for release in self._listeners:
            release(tx, id)


user, group, project, domain, role = (Deletion() for _ in range(5))
service, endpoint, region, application_credential, registered_limit = (Deletion() for _ in range(5))
identity_provider, consumer, policy = (Deletion() for _ in range(3))
