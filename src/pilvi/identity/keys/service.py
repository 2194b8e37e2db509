"""Fernet keys. The newest one encrypts; older ones still decrypt, so tokens outlive a rotation."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptography.fernet import Fernet, MultiFernet

from pilvi.identity import settings
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import store
from pilvi.kernel import clock, ids
from pilvi.kernel.db import Tx

Purpose = Literal["token", "credential", "receipt"]
PURPOSES: tuple[Purpose, ...] = ("token", "credential", "receipt")
HELD_AT_ONCE = 200
"""Secrets encrypted anew in one transaction."""
MOST = 20
"""Keys of one purpose; with more, every token would take long to open."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource that keeps something encrypted with the credential key."""

    read: Callable[[Tx, str, int], list[tuple[str, str]]]
    """Id and encrypted text of those after an id, in the order of ids, at most so many."""
    write: Callable[[Tx, str, str], None]


def cipher(tx: Tx, purpose: Purpose) -> MultiFernet:
    def build() -> MultiFernet:
        return MultiFernet([Fernet(secret) for secret in store.newest_first(tx, purpose)])

    return epochs.cached(tx, ("cipher", purpose), build)


def ensure(tx: Tx) -> None:
    """Each purpose has a key."""
    for purpose in PURPOSES:
        if not store.newest_first(tx, purpose):
            rotate(tx, purpose)


def rotate(tx: Tx, purpose: Purpose) -> None:
    """A new key from now on. Older ones go when nothing that they made can be alive any more; credentials keep theirs,
    for what was encrypted long ago must still open."""
    number = store.add(tx, purpose, urlsafe_b64encode(ids.random_bytes(32)).decode())
    if purpose != "credential":
        longest_life_s = settings.current.token_lifetime_s + settings.current.expired_token_grace_s
        in_force_then = store.newest_at(tx, purpose, clock.timestamp(clock.now() - longest_life_s))
        store.drop_before(tx, purpose, max(in_force_then, number - MOST + 1))
    epochs.bump(tx)


def encrypt_anew(tx: Tx, holder: Holder, after: str) -> tuple[str | None, int]:
    """Encrypt the next few secrets of a holder with the newest key: where to go on, and how many they were."""
    found = holder.read(tx, after, HELD_AT_ONCE)
    newest_first = cipher(tx, "credential")
    for id, text in found:
        holder.write(tx, id, newest_first.rotate(text.encode()).decode())
    return (found[-1][0] if len(found) == HELD_AT_ONCE else None), len(found)


def drop_old_credential_keys(tx: Tx) -> None:
    """Everything was encrypted anew. The key before stays: whoever was at work with it meanwhile wrote with it."""
    store.drop_before(tx, "credential", store.newest_at(tx, "credential", clock.timestamp()) - 1)
    epochs.bump(tx)
