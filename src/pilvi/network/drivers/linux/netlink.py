"""A small synchronous netlink client: requests, dumps, attributes.

Our own, because the agent needs two dozen message kinds and a socket that stays in the namespace it was opened in,
whichever thread uses it; the library for it costs 26 MiB in every agent (docs/decisions).
"""

import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator

ROUTE = 0
NETFILTER = 12

F_REQUEST = 0x1
F_ACK = 0x4
F_EXCL = 0x200
F_CREATE = 0x400
F_REPLACE = 0x100
F_DUMP = 0x300

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_F_DUMP_INTERRUPTED = 0x10
_SOL_NETLINK = 270
_CAP_ACK = 10
_EXT_ACK = 11
_NESTED = 0x8000
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TIMEOUT_S = 10.0
_BUFFER_BYTES = 1 << 20
_DUMP_ATTEMPTS = 8


class NetlinkError(OSError):
    """The kernel refused a request; the text carries its own explanation when it gave one."""


class _Interrupted(Exception):
    """The tables changed while they were being listed."""


def attribute(kind: int, value: bytes) -> bytes:
    padding = b"\0" * (-len(value) % 4)
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + padding


def nested(kind: int, *values: bytes) -> bytes:
    return attribute(kind | _NESTED, b"".join(values))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def attributes(payload: bytes) -> dict[int, bytes]:
    """The attributes of a message or of a nested attribute, by kind."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = payload[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


class Netlink:
    """One socket. It belongs to the namespace of the thread that made it; any thread may use it afterwards."""

    def __init__(self, family: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.bind((0, 0))
        self._socket.settimeout(_TIMEOUT_S)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        for option in (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._sequence = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        self._socket.close()

    def ask(self, kind: int, payload: bytes, flags: int = 0) -> list[bytes]:
        """Sends one request and returns the payloads of the answers; NetlinkError when it was refused."""
        with self._lock:
            return list(self._exchange(kind, payload, flags | F_ACK))

    def dump(self, kind: int, payload: bytes) -> list[bytes]:
        """A consistent listing: asked again when the kernel says that it changed underneath."""
        with self._lock:
            for _ in range(_DUMP_ATTEMPTS):
                try:
                    return list(self._exchange(kind, payload, F_DUMP))
                except _Interrupted:
                    continue
            # A listing that never holds still is still the best there is; the next turn looks again.
            return list(self._exchange(kind, payload, F_DUMP, must_be_consistent=False))

    def _exchange(self, kind: int, payload: bytes, flags: int, *, must_be_consistent: bool = True) -> Iterator[bytes]:
        self._sequence = (self._sequence + 1) & 0x7FFFFFFF
        header = _HEADER.pack(_HEADER.size + len(payload), kind, flags | F_REQUEST, self._sequence, 0)
        self._socket.send(header + payload)
        was_interrupted = False
        while True:
            for answer_kind, answer_flags, answer in self._receive():
                was_interrupted |= bool(answer_flags & _F_DUMP_INTERRUPTED)
                if answer_kind == _NLMSG_ERROR:
                    _raise_unless_ack(answer, answer_flags)
                if answer_kind in {_NLMSG_ERROR, _NLMSG_DONE}:
                    if was_interrupted and must_be_consistent:
                        raise _Interrupted
                    return
                yield answer

    def _receive(self) -> Iterator[tuple[int, int, bytes]]:
        datagram = self._socket.recv(_BUFFER_BYTES)
        offset = 0
        while offset + _HEADER.size <= len(datagram):
            length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram, offset)
            if length < _HEADER.size:
                return
            if sequence == self._sequence:  # What is left of a request that timed out is not ours any more.
                yield kind, flags, datagram[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3


def _raise_unless_ack(answer: bytes, flags: int) -> None:
    (code,) = struct.unpack_from("=i", answer)
    if code == 0:
        return
    detail = os.strerror(-code)
    if flags & 0x200:  # NLM_F_ACK_TLVS: the kernel explains itself.
        explanation = attributes(answer[4 + _HEADER.size :]).get(1, b"").rstrip(b"\0").decode(errors="replace")
        detail = f"{detail} ({explanation})" if explanation else detail
    raise NetlinkError(-code, detail)


def is_gone(error: OSError) -> bool:
    """Whether what was to be removed is already away."""
    return error.errno in {errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENXIO}


def is_there(error: OSError) -> bool:
    """Whether what was to be made exists already."""
    return error.errno == errno.EEXIST
