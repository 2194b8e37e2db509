"""The generated front, with a real haproxy: who answers whom, what strangers cannot send, whom slow clients harm."""

import contextlib
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.kernel.config import ConfigError, parse
from pilvi.ops import certificates
from tests.integration.front_rig import NO_CERTIFICATE, SECRET, Front, read_answer, running, talk, wait_until

HARMED_S = 3.0
"""The front gives up a request that does not come after five seconds; this is nearly as long."""
SLOW_CLIENTS = 200
IMAGE = "/image/v2/images/0f2d2b4e-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running(tmp_path_factory.mktemp("front")) as rig:
        yield rig


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/identity/v3", "api"),
        ("POST", "/compute/v2.1/servers", "api"),
        ("PUT", f"{IMAGE}/file", "live"),
        ("PUT", f"{IMAGE}/stage", "live"),
        ("POST", f"{IMAGE}/file", "api"),
        ("PATCH", IMAGE, "api"),
        ("DELETE", f"{IMAGE}/tags/file", "api"),
        ("PUT", "/object/v1/AUTH_1/c/o", "live"),
        ("GET", "/console/vnc", "live"),
        ("GET", "/consoles", "api"),
        ("GET", "/metrics", "live"),
        ("GET", "/metrics/x", "api"),
    ],
)
def test_a_path_goes_to_the_process_that_serves_it(front: Front, method: str, path: str, expected: str) -> None:
    status, answer = front.get(path, method=method, body=b"{}" if method in ("POST", "PUT", "PATCH") else b"")
    assert (status, answer["by"]) == (200, expected)


@pytest.mark.parametrize(
    "forged",
    [
        "X-Pilvi-Host: host-a",
        "x-pilvi-front: guess",
        "X_Pilvi_Host: host-a",
        "X_PILVI-Front: guess",
        "X--Pilvi-Host: host-a",
        "X-Forwarded-Proto: https",
        "X_Forwarded_Host: evil.example",
        "X-Forwarded-For: 10.0.0.1",
        "Forwarded: host=evil.example",
        "X-Forwarded-Prefix: /evil",
    ],
)
def test_what_only_the_front_may_say_cannot_be_said_by_a_client(front: Front, forged: str) -> None:
    for path in ("/identity/v3", "/object/v1/x"):
        _status, answer = front.get(path, forged)
        seen = {name.replace("_", "-"): value for name, value in answer["headers"].items()}
        told = {name: value for name, value in seen.items() if name.startswith(("x-pilvi", "x--", "x-f", "forw"))}
        assert told == {
            "x-pilvi-front": SECRET,
            "x-forwarded-proto": "http",
            "x-forwarded-host": "cloud.example",
            "x-forwarded-for": "127.0.0.1",
        }


def test_an_agent_is_known_by_its_certificate(front: Front) -> None:
    with front.connect_agent() as connection:
        status, answer = talk(connection, "/agent/v1/state", "X-Pilvi-Host: host-b")
    assert status == 200
    assert answer["headers"]["x-pilvi-host"] == "host-a"
    assert answer["headers"]["x-pilvi-front"] == SECRET
    assert answer["headers"]["x-forwarded-proto"] == "https"


def test_without_a_certificate_of_the_own_ca_no_agent_comes_in(front: Front, tmp_path: Path) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask_as_agent(NO_CERTIFICATE)
    stranger = parse({"cloud": {"state_dir": str(tmp_path)}}).paths
    certificates.ensure_ca(stranger)
    certificates.ensure_host(stranger, "host-a")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask_as_agent(stranger.host_certificate("host-a"), stranger.host_key("host-a"))


def test_the_certificate_of_the_front_opens_no_agents_door(front: Front) -> None:
    own = front.config.paths.front_certificate
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask_as_agent(own, own)


def test_agents_reach_agents_paths_and_others_do_not(front: Front) -> None:
    assert front.get("/agent/v1/state")[0] == 403
    with front.connect_agent() as connection:
        assert talk(connection, "/identity/v3")[0] == 403
    with front.connect_agent() as connection:
        assert talk(connection, "/agent/v1/images/abc")[1]["by"] == "live"
    with front.connect_agent() as connection:
        assert talk(connection, "/agent/v1/report", method="POST", body=b"{}")[1]["by"] == "api"


def test_an_agents_websocket_goes_to_live(front: Front) -> None:
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    with front.connect_agent() as connection:
        lines = ["GET /agent/v1/wake HTTP/1.1", "Host: x", "Connection: Upgrade", *upgrade, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        assert b" 101 " in connection.recv(4096)
        connection.sendall(b"\x81\x82\x00\x00\x00\x00hi")
        assert connection.recv(4096).endswith(b"echo hi")


def test_the_fronts_own_figures_are_for_this_machines_root_alone(front: Front) -> None:
    path = front.config.paths.front_metrics_socket
    assert path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        status, content = read_answer(connection)
    assert status == 200
    assert b'haproxy_frontend_http_requests_total{proxy="public"}' in content
    assert b"haproxy_" not in str(front.get("/metrics")[1]).encode()


def test_refusals_are_json_with_a_sentence(front: Front) -> None:
    status, answer = front.get("/agent/v1/state")
    assert answer["error"]["code"] == status == 403
    assert answer["error"]["message"]


def test_a_body_beyond_the_limit_is_refused(front: Front) -> None:
    with front.connect() as connection:
        connection.sendall(b"POST /compute/v2.1/servers HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert read_answer(connection)[0] == 413


def test_a_large_body_within_the_limit_arrives_whole(front: Front) -> None:
    assert front.get("/compute/v2.1/servers", method="POST", body=b"x" * 900_000)[1]["received"] == 900_000


def test_headers_beyond_the_limit_are_refused(front: Front) -> None:
    assert front.get("/identity/v3", "X-Long: " + "x" * 40_000)[0] == 400


def stalled(front: Front, start: bytes, stack: contextlib.ExitStack) -> None:
    """Clients that send this much and then neither send nor read."""
    for _ in range(SLOW_CLIENTS):
        connection = stack.enter_context(socket.socket())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # Before connecting: it bounds the window.
        connection.settimeout(10)
        connection.connect(("127.0.0.1", front.port))
        connection.sendall(start)


def slowest_of(front: Front, start: bytes, count: int = 50) -> float:
    """Seconds of the slowest of some small requests to api and live beside clients who stand still; all are right."""
    slowest = 0.0
    with contextlib.ExitStack() as stack:
        stalled(front, start, stack)
        time.sleep(0.3)
        for number in range(count):
            began = time.monotonic()
            status, _answer = front.get("/identity/v3" if number % 2 else "/object/v1/small")
            assert status == 200
            slowest = max(slowest, time.monotonic() - began)
    return slowest


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(
            f"PUT {IMAGE}/file HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\nxx".encode(), id="uploads"
        ),
        pytest.param(
            b"POST /compute/v2.1/servers HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", id="small bodies"
        ),
        pytest.param(
            b"POST /compute/v2.1/servers HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + b"x" * 200_000,
            id="bodies beyond the buffer",
        ),
        pytest.param(
            b"POST /compute/v2.1/servers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            id="chunked bodies",
        ),
        pytest.param(b"GET /identity/v3 HTTP/1.1\r\nHost: x\r\nX-Half: ", id="half-sent headers"),
        pytest.param(f"GET {IMAGE}/file HTTP/1.1\r\nHost: x\r\n\r\n".encode(), id="unread downloads"),
        pytest.param(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n", id="unread lists"),
    ],
)
def test_two_hundred_slow_clients_harm_nobody(front: Front, start: bytes) -> None:
    """Whoever had to wait for them would wait until the front gives the first of them up, every time. A machine that is
    busy for a moment is not so every time."""
    assert any(slowest_of(front, start) < HARMED_S for _ in range(3))


def test_a_half_sent_request_is_told_so_in_time(front: Front) -> None:
    with front.connect(30) as connection:
        connection.sendall(b"POST /identity/v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        assert read_answer(connection)[0] == 408


def test_a_new_file_is_taken_up_without_a_failed_request(front: Front) -> None:
    failures: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            status, _answer = front.get("/identity/v3")
            if status != 200:
                failures.append(status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(3):
            front.write()
            os.kill(front.haproxy.pid, signal.SIGUSR2)
            time.sleep(1.0)
    finally:
        done.set()
        thread.join()
    assert failures == []


def test_the_restart_of_a_process_behind_it_is_only_a_pause(tmp_path: Path) -> None:
    with running(tmp_path) as front:
        os.killpg(front.api.pid, signal.SIGKILL)
        front.api.wait(10)
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(front.get("/identity/v3")[0]))
        thread.start()
        time.sleep(1.0)
        front.spawn_api()
        thread.join(30)
        assert answers == [200]


def test_clear_text_beyond_loopback_is_refused() -> None:
    with pytest.raises(ConfigError, match="clear text"):
        parse({"front": {"listen": "0.0.0.0:8780"}})


def test_tls_on_the_public_port_says_https(tmp_path: Path) -> None:
    front = Front(tmp_path, tls=True)
    try:
        with contextlib.suppress(AssertionError):
            front.get = lambda *_a, **_k: (200, None)  # type: ignore[method-assign] - clear text cannot probe this one
            front.start()
        context = ssl.create_default_context(cafile=str(front.config.paths.ca_certificate))
        wait_until(lambda: _answers(front))
        with context.wrap_socket(front.connect(), server_hostname="localhost") as connection:
            assert talk(connection, "/identity/v3")[1]["headers"]["x-forwarded-proto"] == "https"
    finally:
        front.stop()


def _answers(front: Front) -> bool:
    try:
        front.connect().close()
    except OSError:
        return False
    return True
