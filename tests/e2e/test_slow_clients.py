"""One slow client harms nobody: hundreds of stalled uploads, half-sent headers and unread downloads at once."""

import contextlib
import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.e2e.site import Site

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
EACH = 200
PATIENCE_S = 10.0
"""A small request among all that; idle it takes milliseconds, and this machine has other things to do."""


def ask(site: Site, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, dict[str, str], bytes]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})}
    request = urllib.request.Request(f"http://127.0.0.1:{site.port}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()


def admin_token(site: Site) -> str:
    password = (site.state / "secrets" / "admin_password").read_text().strip()
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return ask(site, "POST", "/identity/v3/auth/tokens", body=body)[1]["x-subject-token"]


@contextmanager
def connections(site: Site, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Clients that send just this and then neither send nor read anything more."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = stack.enter_context(
                contextlib.closing(socket.create_connection(("127.0.0.1", site.port), timeout=10))
            )
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(sent)
            opened.append(one)
        yield opened


def test_slow_clients_of_every_kind_leave_small_requests_answering(site: Site) -> None:
    token = admin_token(site)
    image = json.loads(ask(site, "GET", "/image/v2/images?name=tiny", token)[2])["images"][0]["id"]
    body = {"name": "slow", "disk_format": "raw", "container_format": "bare"}
    ids = [json.loads(ask(site, "POST", "/image/v2/images", token, body)[2])["id"] for _ in range(5)]
    head = f"Host: 127.0.0.1:{site.port}\r\nX-Auth-Token: {token}\r\n"
    uploads = [
        f"PUT /image/v2/images/{id}/file HTTP/1.1\r\n{head}Content-Type: application/octet-stream\r\n"
        f"Content-Length: 1000000\r\n\r\nabc".encode()
        for id in ids
    ]
    half = b"GET /identity/v3 HTTP/1.1\r\nHost: x\r\nX-Slow: "
    stalled = (
        f"POST /compute/v2.1/servers HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{{"
    )
    unread = f"GET /image/v2/images/{image}/file HTTP/1.1\r\n{head}\r\n".encode()
    with ExitStack() as stack:
        for upload in uploads:
            stack.enter_context(connections(site, EACH // len(uploads), upload))
        for slow in (half, stalled.encode(), unread):
            stack.enter_context(connections(site, EACH, slow))
        taken = []
        for _ in range(20):
            started = time.monotonic()
            assert ask(site, "GET", "/identity/v3/projects", token)[0] == 200
            assert ask(site, "GET", "/compute/v2.1/flavors", token)[0] == 200
            assert ask(site, "GET", "/image/v2/images?limit=1", token)[0] == 200
            taken.append(time.monotonic() - started)
        print(f"three small requests among {4 * EACH} slow clients: {min(taken):.3f} to {max(taken):.3f} s")
    for id in ids:
        ask(site, "DELETE", f"/image/v2/images/{id}", token)
