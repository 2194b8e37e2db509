"""HTTP/1.1 on one socket: from bytes to a request as WSGI has it, and from an answer to bytes. No waiting, no threads.

httptools (llhttp) reads the syntax, strictly. Bounds are ours: what a peer sends costs no more memory than they say.
"""

import io
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

import httptools
import orjson

from pilvi.kernel import clock
from pilvi.kernel.bodies import BODY_LIMIT

Environ = dict[str, Any]

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request line with its headers."""
PIPELINE_LIMIT: Final = 16
"""Requests that a peer may send ahead of the answers."""
RECEIVE_BYTES: Final = 64 * 1024
KNOWN_NAMES_LIMIT: Final = 500

_BASE: Final[Environ] = {
    "SCRIPT_NAME": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
    "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
}  # fmt: skip
_WITHOUT_BODY: Final = ("204", "304")

_keys: dict[bytes, str] = {}


class Request(NamedTuple):
    environ: Environ
    body: bytes
    is_last: bool
    """The peer wants the connection closed after the answer, or we must: there is more that we will not read."""

    def fresh_environ(self) -> Environ:
        """For one try: applications change their environ and read its stream."""
        return {**self.environ, "wsgi.input": io.BytesIO(self.body)}


class Refused(Exception):
    """What came cannot be answered by an application: status line and a sentence."""


def key_of(name: bytes) -> str:
    """`X-Auth-Token` as WSGI names it. Empty for a name that would read like another one (`X_Auth_Token`)."""
    key = _keys.get(name)
    if key is None:
        text = name.decode("latin-1").upper().replace("-", "_")
        key = "" if b"_" in name else text if text in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{text}"
        if len(_keys) < KNOWN_NAMES_LIMIT:
            _keys[name] = key
    return key


class Connection:
    """One peer. The parser's callbacks build requests, which stand in `requests` when they are whole."""

    __slots__ = (
        "_body", "_environ", "_is_cut", "_is_head_read", "_parser", "_size", "_unread_head", "_url", "has_begun",
        "is_broken", "is_closing", "is_in_work", "out", "requests", "since", "sock", "watched",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, now: float) -> None:
        self.sock = sock
        self.requests: deque[Request] = deque()
        self.out: memoryview | None = None
        """What of an answer the peer has not taken yet."""
        self.is_in_work = False
        """A task or a worker has it; nobody else touches it meanwhile."""
        self.watched = 0
        """For which events the loop has it in its epoll; 0: not there."""
        self.is_closing = False
        """Nothing more is answered; what still comes is thrown away until the peer closes."""
        self.is_broken = False
        self.since = now
        """When something last moved, on the monotonic clock."""
        self.has_begun = False
        """A part of a request is here."""
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._environ: Environ = {}
        self._body: list[bytes] = []
        self._url = b""
        self._size = 0
        self._unread_head = 0
        self._is_head_read = False
        self._is_cut = False

    # -- reading ---------------------------------------------------------------------------------------------------

    def receive(self) -> bool:
        """Take what is there; False when the peer has gone. Raises Refused for what is no request."""
        try:
            data = self.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        if not self.is_closing:
            self.feed(data)
        return True

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # We speak nothing else; the request is answered as it is, and is the last.
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ if isinstance(error.__context__, Refused) else error from None
        except httptools.HttpParserError as error:
            raise Refused("400 Bad Request", f"This is not valid HTTP: {error}.") from None
        if self.has_begun and not self._is_head_read:
            self._unread_head += len(data)
            if self._unread_head > HEAD_LIMIT:
                raise Refused("431 Request Header Fields Too Large", f"Headers may have {HEAD_LIMIT} bytes.")
        if len(self.requests) > PIPELINE_LIMIT:
            raise Refused("400 Bad Request", f"More than {PIPELINE_LIMIT} requests were sent ahead of their answers.")

    def on_message_begin(self) -> None:
        self._begin()
        self.has_begun = True

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = key_of(name)
        if not key:
            return
        text = value.decode("latin-1")
        before = self._environ.get(key)
        self._environ[key] = text if before is None else f"{before},{text}"

    def on_headers_complete(self) -> None:
        self._is_head_read = True
        environ = self._environ
        environ["REQUEST_METHOD"] = self._parser.get_method().decode()
        environ["PATH_INFO"], environ["QUERY_STRING"] = _split(self._url)
        environ |= _BASE
        if "HTTP_EXPECT" in environ and environ["HTTP_EXPECT"].lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = environ.get("CONTENT_LENGTH", "0")
        self._is_cut = not length.isdigit() or int(length) > BODY_LIMIT
        if self._is_cut:  # The application refuses it in its own words; nobody reads what comes.
            self._end(is_last=True)

    def on_body(self, body: bytes) -> None:
        if self._is_cut:
            return
        self._size += len(body)
        self._body.append(body)
        if self._size > BODY_LIMIT:  # In chunks: nobody knew before.
            self._is_cut = True
            self._end(is_last=True)

    def on_message_complete(self) -> None:
        if not self._is_cut:
            self._end(is_last=self._parser.should_upgrade() or not self._parser.should_keep_alive())

    def _end(self, *, is_last: bool) -> None:
        if not self.has_begun:
            return
        self.has_begun = False
        self.requests.append(Request(self._environ, b"".join(self._body), is_last))

    # -- writing ---------------------------------------------------------------------------------------------------

    def send(self, *parts: bytes | memoryview) -> None:
        """Send, and keep in `out` what the peer does not take now."""
        try:
            sent = self.sock.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.is_broken = True
            return
        if sent < sum(map(len, parts)):
            self.out = memoryview(b"".join(parts))[sent:]

    def send_more(self) -> bool:
        """Whether the peer has all of it now."""
        out, self.out = self.out, None
        if out is not None:
            self.send(out)
        return self.out is None and not self.is_broken

    def finish(self) -> None:
        """No more answers: the peer is told, and may read what it has not read yet."""
        self.is_closing = True
        self.requests.clear()
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.is_broken = True


def _split(url: bytes) -> tuple[str, str]:
    """The path as WSGI wants it, percent signs resolved, and the query as it is."""
    if not url.startswith(b"/"):
        try:
            parsed = httptools.parse_url(url)
        except httptools.HttpParserError:
            raise Refused("400 Bad Request", "The request's target is no path.") from None
        url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
    path, _, query = url.partition(b"?")
    path = path.partition(b"#")[0]
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("latin-1"), query.decode("latin-1")


# ---- answers -------------------------------------------------------------------------------------------------------


class Answered:
    """Takes down what an application answers, as WSGI's `start_response`."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
        self.status, self.headers = status, headers
        return _no_writing


def _no_writing(_: bytes) -> None:
    raise AssertionError("our applications return their answers")


def run(application: Callable[..., Iterable[bytes]], environ: Environ) -> tuple[Answered, bytes]:
    answered = Answered()
    parts = application(environ, answered)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return answered, body


def encode(answered: Answered, body: bytes, *, method: str, is_last: bool) -> tuple[bytes, bytes]:
    """Head and body as they go on the wire. Raises ValueError for a header that would end before its end."""
    lines = [f"HTTP/1.1 {answered.status}", date_line()]
    is_long = False
    for name, value in answered.headers:
        lines.append(f"{name}: {value}")
        is_long = is_long or name.lower() == "content-length"
    if answered.status[:3] in _WITHOUT_BODY:
        body = b""
    elif not is_long:
        lines.append(f"content-length: {len(body)}")
    if is_last:
        lines.append("connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") >= len(lines) or head.count("\r") >= len(lines) or "\0" in head:
        raise ValueError("a header of an answer has a line break in it")
    return f"{head}\r\n\r\n".encode("latin-1"), b"" if method == "HEAD" else body


_date: tuple[int, str] = (0, "")


def date_line() -> str:
    """Made once a second."""
    global _date
    second = int(clock.now())
    if _date[0] != second:
        _date = (second, f"date: {formatdate(second, usegmt=True)}")
    return _date[1]


def refusal(status: str, message: str) -> tuple[bytes, bytes]:
    """An answer without an application, after which the connection ends."""
    answered = Answered()
    code, _, title = status.partition(" ")
    answered(status, [("content-type", "application/json")])
    body = orjson.dumps({"error": {"code": int(code), "title": title, "message": message}})
    return encode(answered, body, method="GET", is_last=True)
