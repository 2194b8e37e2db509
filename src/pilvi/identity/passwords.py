"""Passwords: argon2id, at most a few at once per process; bcrypt accepted for imported accounts. Slow on purpose:
never called inside a write transaction."""

import hmac
import os
import threading
from functools import cache
from hashlib import sha256

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from pilvi.kernel.errors import BadRequest, Unavailable

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
WAIT_S = 30.0
LONGEST = 4096
"""Bytes of a password; more is refused before it costs anything."""

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


class _Slot:
    """A place in the bounded pool; whoever waits too long is told to come again."""

    def __enter__(self) -> None:
        if not _slots.acquire(timeout=WAIT_S):
            raise Unavailable("Too many passwords are being checked; try again.", headers={"Retry-After": "5"})

    def __exit__(self, *_: object) -> None:
        _slots.release()


def hash_password(password: str) -> str:
    """The text to keep instead of the password."""
    if len(password.encode()) > LONGEST:
        raise BadRequest(f"A password may have {LONGEST} bytes.")
    with _Slot():
        return _hasher.hash(password)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("of a user who does not exist")


def verify(password: str, hashed: str | None) -> bool:
    """Whether the password is right. Without a hash it takes the same time and is wrong."""
    if len(password.encode()) > LONGEST:
        return False
    with _Slot():
        if hashed is None:
            _matches(password, _nobodys_hash())
            return False
        return _matches(password, hashed)


def _matches(password: str, hashed: str) -> bool:
    if hashed.startswith("$2"):
        return bcrypt.checkpw(password.encode()[:72], hashed.encode())
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def hash_secret(secret: str) -> str:
    """For secrets that we make ourselves with 256 bits of chance: guessing is hopeless, so a fast hash will do."""
    return "sha256$" + sha256(secret.encode()).hexdigest()


def verify_secret(secret: str, hashed: str | None) -> bool:
    if hashed is not None and hashed.startswith("sha256$"):
        return hmac.compare_digest(hash_secret(secret), hashed)
    return verify(secret, hashed)
