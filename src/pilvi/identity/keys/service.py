"""Fernet keys. The newest one encrypts; older ones still decrypt, so tokens outlive a rotation."""

from base64 import urlsafe_b64encode
from typing import Literal

from cryptography.fernet import Fernet, MultiFernet

from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import store
from pilvi.kernel import ids
from pilvi.kernel.db import Tx

Purpose = Literal["token", "credential", "receipt"]
PURPOSES: tuple[Purpose, ...] = ("token", "credential", "receipt")
KEPT = 3
"""Keys that stay valid: with one rotation per token lifetime at most, every live token still opens."""


def cipher(tx: Tx, purpose: Purpose) -> MultiFernet:
    def build() -> MultiFernet:
        return MultiFernet([Fernet(secret) for secret in store.newest_first(tx, purpose)])

    return epochs.cached(tx, ("cipher", purpose), build)


def ensure(tx: Tx) -> None:
    """Each purpose has a key."""
    for purpose in PURPOSES:
        if not store.newest_first(tx, purpose):
            rotate(tx, purpose)


def rotate(tx: Tx, purpose: Purpose, *, keep: int = KEPT) -> None:
    """A new key from now on. Credentials keep all their keys: what was encrypted long ago must still open."""
    number = store.add(tx, purpose, urlsafe_b64encode(ids.random_bytes(32)).decode())
    if purpose != "credential":
        store.drop_before(tx, purpose, number - keep + 1)
    epochs.bump(tx)
