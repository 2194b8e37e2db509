import asyncio
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from pilvi.agent.responders.allowance import Allowance
from pilvi.agent.responders.metadata_server import MetadataServer


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def source(network_id: str, ip: str, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
    if path == "/fails":
        raise RuntimeError("deliberately")
    return 200, "text/plain", f"{network_id} {ip} {path} {headers.get('x-forwarded-for', '')}".encode()


def conversation(executor: Executor, *said: bytes, half_close: bool = True) -> bytes:
    async def run() -> bytes:
        listening = socket.create_server(("127.0.0.1", 0))
        server = MetadataServer("net", source, executor)
        await server.start(listening)
        try:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            for part in said:
                writer.write(part)
                await writer.drain()
            if half_close:
                writer.write_eof()
            heard = await asyncio.wait_for(reader.read(), 15)
            writer.close()
            return heard
        finally:
            await server.stop()

    return asyncio.run(run())


def status(heard: bytes) -> int:
    return int(heard.split(b" ", 2)[1])


def test_the_asker_is_known_by_the_socket_and_not_by_what_it_says(executor: Executor) -> None:
    heard = conversation(executor, b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
    assert heard.endswith(b"net 127.0.0.1 /a 6.6.6.6")


def test_requests_follow_each_other_on_one_connection(executor: Executor) -> None:
    one = b"GET /a HTTP/1.1\r\n\r\n"
    heard = conversation(
        executor, one, one[:7], one[7:], b"GET /b HTTP/1.1\r\nConnection: close\r\n\r\n", half_close=False
    )
    assert heard.count(b"200 OK") == 3
    assert heard.endswith(b"/b ")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"POST /a HTTP/1.1\r\n\r\n", 405),
        (b"nonsense\r\n\r\n", 400),
        (b"GET a HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nspaced : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /fails HTTP/1.1\r\nConnection: close\r\n\r\n", 500),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ],
)
def test_bad_requests_are_answered_and_the_connection_ends(executor: Executor, said: bytes, expected: int) -> None:
    assert status(conversation(executor, said, half_close=expected == 500)) == expected


def test_a_client_that_leaves_in_the_middle_is_no_error(executor: Executor) -> None:
    assert conversation(executor, b"GET /a HT") == b""


def test_an_allowance_is_per_asker_and_fills_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("pilvi.agent.responders.allowance.time.monotonic", lambda: now)
    allowance = Allowance(per_s=1, burst=2)
    assert [allowance.permits("a") for _ in range(3)] == [True, True, False]
    assert allowance.permits("b")
    now += 1
    assert [allowance.permits("a") for _ in range(2)] == [True, False]


def test_askers_are_forgotten_before_they_fill_the_memory() -> None:
    allowance = Allowance(per_s=1, burst=2)
    for number in range(6000):
        allowance.permits(str(number))
    assert len(allowance._buckets) <= 4096
