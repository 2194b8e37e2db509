"""HTTP on one socket: what is a request, what is refused, what goes back."""

import contextlib
import random
import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.kernel.bodies import BODY_LIMIT
from pilvi.kernel.http_connection import HEAD_LIMIT, PIPELINE_LIMIT, Answered, Connection, Refused, encode, refusal

SIMPLE = b"GET /a/b?c=d HTTP/1.1\r\nHost: here\r\nX-Auth-Token: t\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(10)
    with ours, theirs:
        yield Connection(ours, 0.0), theirs


def fed(*parts: bytes) -> Connection:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        connection = Connection(ours, 0.0)
        for part in parts:
            connection.feed(part)
        return connection


def test_a_request_as_wsgi_has_it() -> None:
    request = fed(SIMPLE).requests[0]
    environ = request.fresh_environ()
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]) == ("GET", "/a/b", "c=d")
    assert (environ["HTTP_HOST"], environ["HTTP_X_AUTH_TOKEN"]) == ("here", "t")
    assert environ["wsgi.input"].read() == b""
    assert not request.is_last


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a%20b/%C3%A9?x=%20", "/a b/\xc3\xa9", "x=%20"),
        ("/a?b?c", "/a", "b?c"),
        ("/a%2Fb", "/a/b", ""),
        ("http://host:80/x/y?z", "/x/y", "z"),
        ("http://host", "/", ""),
    ],
)
def test_targets(target: str, path: str, query: str) -> None:
    environ = fed(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).requests[0].environ
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)


def test_a_name_that_would_read_like_another_is_dropped() -> None:
    environ = fed(b"GET / HTTP/1.1\r\nHost: x\r\nX_Pilvi_Host: evil\r\nX-Pilvi-Front: s\r\n\r\n").requests[0].environ
    assert "HTTP_X_PILVI_HOST" not in environ
    assert environ["HTTP_X_PILVI_FRONT"] == "s"


def test_a_header_that_stands_twice_is_a_list() -> None:
    environ = fed(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nACCEPT: b\r\n\r\n").requests[0].environ
    assert environ["HTTP_ACCEPT"] == "a,b"


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    ],
)
def test_bodies(body: bytes) -> None:
    connection = fed(b"POST / HTTP/1.1\r\nHost: x\r\n" + body)
    assert [r.body for r in connection.requests] == [b"hello"]


@given(st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_pieces_it_comes(chance: random.Random) -> None:
    whole = SIMPLE + b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + SIMPLE
    cuts = sorted({0, len(whole), *(chance.randrange(len(whole)) for _ in range(chance.randrange(30)))})
    parts = [whole[a:b] for a, b in pairwise(cuts)]
    requests = fed(*parts).requests
    assert [r.environ["PATH_INFO"] for r in requests] == ["/a/b", "/x", "/a/b"]
    assert requests[1].body == b"abc"


@given(st.binary(max_size=300))
def test_nonsense_is_refused_or_waited_on_and_never_breaks_anything(data: bytes) -> None:
    for start in (b"", SIMPLE[:30], b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"):
        with contextlib.suppress(Refused):
            fed(start, data)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"CONNECT else:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        fed(data)


def test_headers_have_a_bound_even_where_one_never_ends() -> None:
    connection = fed(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(HEAD_LIMIT // 1000):
        connection.feed(b"x" * 1000)
    with pytest.raises(Refused, match="431"):
        connection.feed(b"x" * 1000)


def test_requests_sent_ahead_have_a_bound() -> None:
    with pytest.raises(Refused, match="ahead"):
        fed(SIMPLE * (PIPELINE_LIMIT + 1))


def test_a_body_beyond_the_limit_is_the_last_thing_that_is_read() -> None:
    announced = fed(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\nxx".encode())
    assert [(r.is_last, len(r.body)) for r in announced.requests] == [(True, 0)]
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = fed(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 40)
    assert [r.is_last for r in chunked.requests] == [True]
    assert BODY_LIMIT < len(chunked.requests[0].body) <= BODY_LIMIT + 65536


@pytest.mark.parametrize("line", ["Connection: close", "Connection: Upgrade\r\nUpgrade: h2c"])
def test_the_last_request(line: str) -> None:
    assert [r.is_last for r in fed(f"GET / HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode()).requests] == [True]


def test_who_waits_for_a_word_before_the_body_gets_it(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    connection.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_an_answer_that_the_peer_does_not_take_at_once(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    body = bytes(range(256)) * 8192
    connection.send(b"head", body)
    assert connection.out is not None
    got = b""
    while len(got) < len(body) + 4:
        got += peer.recv(1 << 20)
        connection.send_more()
    assert got == b"head" + body
    assert connection.out is None


def test_a_peer_that_has_gone_is_no_error(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    peer.close()
    connection.send(b"x")
    assert connection.is_broken
    assert not connection.receive()


def answered(status: str, *headers: tuple[str, str]) -> Answered:
    made = Answered()
    made(status, list(headers))
    return made


def test_answers() -> None:
    head, body = encode(answered("200 OK", ("A", "b")), b"xyz", method="GET", is_last=False)
    assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert b"\r\nA: b\r\ncontent-length: 3\r\n\r\n" in head
    assert body == b"xyz"
    assert b"connection: close\r\n" in encode(answered("200 OK"), b"", method="GET", is_last=True)[0]
    head, body = encode(answered("200 OK", ("Content-Length", "3")), b"xyz", method="HEAD", is_last=False)
    assert (head.lower().count(b"content-length"), body) == (1, b"")
    head, body = encode(answered("204 No Content"), b"ignored", method="GET", is_last=False)
    assert (b"content-length" in head, body) == (False, b"")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0b"])
def test_nothing_slips_into_a_header(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode(answered("200 OK", ("X", value)), b"", method="GET", is_last=False)


def test_a_refusal_is_json_and_the_end() -> None:
    head, body = refusal("400 Bad Request", "No.")
    assert b"connection: close" in head
    assert body == b'{"error":{"code":400,"title":"Bad Request","message":"No."}}'
