"""Identifiers and randomness, injectable, so that tests and the simulator can own them."""

import os
import re
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
    text = hexid()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def hexid() -> str:
    """A random id (UUID version 4) of 32 hex digits, as identity uses."""
    raw = bytearray(_source(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return raw.hex()


def request_id() -> str:
    return "req-" + uuid()


def is_uuid(text: str) -> bool:
    return UUID_LIKE.match(text) is not None
