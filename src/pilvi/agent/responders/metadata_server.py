"""A small HTTP/1.1 server for 169.254.169.254: GET and HEAD only, everything about a client is bounded.

Who asks is known by the network whose socket it is and the source address, which anti-spoofing has checked; nothing
that the client writes is believed.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

# (network id, source address, path, headers) -> (status, content type, body). Called in a thread; may block.
MetadataSource = Callable[[str, str, str, Mapping[str, str]], tuple[int, str, bytes]]

_MOST_CONNECTIONS = 128
_MOST_PER_GUEST = 16
_MOST_HEADER_BYTES = 8192
_MOST_REQUESTS = 100
_HEAD_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 20.0
_SEND_TIMEOUT_S = 20.0
_REASONS = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip


class BadRequest(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class MetadataServer:
    """Serves one network."""

    def __init__(self, network_id: str, source: MetadataSource, executor: Executor) -> None:
        self._network_id = network_id
        self._source = source
        self._executor = executor
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], str] = {}
        self._per_guest: Counter[str] = Counter()

    async def start(self, listening: socket.socket) -> None:
        self._server = await asyncio.start_server(self._connected, sock=listening, limit=_MOST_HEADER_BYTES)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source_ip = writer.get_extra_info("peername")[0]
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= _MOST_CONNECTIONS or self._per_guest[source_ip] >= _MOST_PER_GUEST:
            writer.transport.abort()
            return
        self._connections[task] = source_ip
        self._per_guest[source_ip] += 1
        try:
            await self._converse(source_ip, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The client went away or took too long; closing says all there is to say.
        finally:
            del self._connections[task]
            self._per_guest[source_ip] -= 1
            if not self._per_guest[source_ip]:
                del self._per_guest[source_ip]
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _converse(self, source_ip: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(_MOST_REQUESTS):
            keep = False
            is_head = False
            try:
                method, path, headers = await _read_head(reader)
                is_head = method == "HEAD"
                keep = headers.get("connection", "").lower() != "close" and "http/1.0" not in headers
                status, kind, body = await self._answer(source_ip, method, path, headers)
            except BadRequest as error:
                status, kind, body, keep = error.status, "text/plain", b"", False
            writer.write(_head(status, kind, len(body), keep=keep) + (b"" if is_head else body))
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await writer.drain()
            if not keep:
                return

    async def _answer(
        self, source_ip: str, method: str, path: str, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        if method not in {"GET", "HEAD"}:
            raise BadRequest(405)
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            raise BadRequest(400)
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._executor, self._source, self._network_id, source_ip, path, headers)
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                return await asked
        except TimeoutError:
            raise BadRequest(503) from None
        except Exception:  # noqa: BLE001  A fault of the source is its own; the guest asks again, others are served.
            raise BadRequest(500) from None


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    try:
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequest(431) from None
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise BadRequest(400)
    headers: dict[str, str] = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if words[2] == "HTTP/1.0":
        headers["http/1.0"] = ""
    return words[0], words[1].split("?")[0], headers


def _head(status: int, kind: str, length: int, *, keep: bool) -> bytes:
    reason = _REASONS.get(status, "Unknown")
    connection = "keep-alive" if keep else "close"
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        f"Connection: {connection}\r\n\r\n"
    ).encode("latin-1")
