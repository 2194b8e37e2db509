"""Identifiers and randomness, injectable, so that tests and the simulator can own them."""

import os
import re
import uuid as _uuid
from collections.abc import Callable

_source: Callable[[int], bytes] = os.urandom

UUID_LIKE = re.compile(r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", re.IGNORECASE)


def use(source: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Put another source of random bytes in force and return the former one."""
    global _source
    former, _source = _source, source
    return former


def random_bytes(count: int) -> bytes:
    return _source(count)


def uuid() -> str:
    """A random id with dashes, as compute, image, network and placement use."""
    return str(_uuid.UUID(bytes=_source(16), version=4))


def hexid() -> str:
    """A random id of 32 hex digits, as identity uses."""
    return _uuid.UUID(bytes=_source(16), version=4).hex


def request_id() -> str:
    return "req-" + uuid()


def is_uuid(text: str) -> bool:
    return UUID_LIKE.match(text) is not None
