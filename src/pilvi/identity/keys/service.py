"""Fernet keys. The newest one encrypts; older ones still decrypt, so tokens outlive a rotation.

In the database they lie sealed with the cloud's own key file: a copy of the database makes no token, opens no secret.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from pilvi.identity import settings
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import store
from pilvi.kernel import clock, ids
from pilvi.kernel.config import ConfigError
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Unavailable
from pilvi.kernel.secret_files import SecretFile

Purpose = Literal["token", "credential", "receipt"]
PURPOSES: tuple[Purpose, ...] = ("token", "credential", "receipt")
HELD_AT_ONCE = 200
"""Secrets encrypted anew in one transaction."""
MOST = 20
"""Keys of one purpose; with more, every token would take long to open."""
SEALED = "sealed:"


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource that keeps something encrypted with the credential key."""

    read: Callable[[Tx, str, int], list[tuple[str, str]]]
    """Id and encrypted text of those after an id, in the order of ids, at most so many."""
    write: Callable[[Tx, str, str], None]


def cipher(tx: Tx, purpose: Purpose) -> MultiFernet:
    def build() -> MultiFernet:
        return MultiFernet([Fernet(_opened(text)) for text in store.newest_first(tx, purpose)])

    return epochs.cached(tx, ("cipher", purpose), build)


def ensure(tx: Tx) -> None:
    """Each purpose has a key, and none lies in clear."""
    for purpose in PURPOSES:
        if not store.newest_first(tx, purpose):
            rotate(tx, purpose)
    if settings.current.sealing is not None and any(not text.startswith(SEALED) for _, _, text in store.everything(tx)):
        seal_anew(tx)


def seal_anew(tx: Tx) -> None:
    """With the newest line of the key file, whatever each was sealed with before."""
    for purpose, number, text in store.everything(tx):
        store.replace(tx, purpose, number, _sealed(_opened(text)))
    epochs.bump(tx)


def _sealed(key: str) -> str:
    file = settings.current.sealing
    if file is None:
        return key
    newest = Fernet(_lines(file)[0])
    return SEALED + newest.encrypt(key.encode()).decode()


def _opened(text: str) -> str:
    if not text.startswith(SEALED):
        return text
    file = settings.current.sealing
    if file is None:
        raise Unavailable(
            "The keys in the database are sealed with secrets/sealing_key of the state directory, and that file was "
            "not there when this process began. Put it back from the backup that the database belongs to."
        )
    return _unseal(file, text)


@lru_cache(maxsize=MOST * len(PURPOSES))
def _unseal(file: SecretFile, text: str) -> str:
    """What was opened once stays open for this process: the text in the database is the name of what it holds."""
    try:
        return MultiFernet([Fernet(line) for line in _lines(file)]).decrypt(text.removeprefix(SEALED).encode()).decode()
    except InvalidToken:
        raise Unavailable(
            f"The keys in the database were sealed with another file than {file.path} is now. Put back the file that "
            "belongs to this database, from its backup."
        ) from None


def _lines(file: SecretFile) -> list[str]:
    try:
        return [line.secret.reveal() for line in file.lines(now=True)]
    except ConfigError as error:
        raise Unavailable(str(error)) from None


def rotate(tx: Tx, purpose: Purpose) -> None:
    """A new key from now on. Older ones go when nothing that they made can be alive any more; credentials keep theirs,
    for what was encrypted long ago must still open."""
    number = store.add(tx, purpose, _sealed(urlsafe_b64encode(ids.random_bytes(32)).decode()))
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
