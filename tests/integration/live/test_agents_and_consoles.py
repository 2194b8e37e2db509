"""Agents' lines, questions to hosts, consoles and hosts' images through a real `live`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pilvi.agent.link import Link
from pilvi.compute.remote_consoles.model import ConsoleToken
from pilvi.kernel.errors import NotFound, Unauthorized, Unavailable
from pilvi.live import compute, consoles
from pilvi.live.client import INTERNAL_HEADER
from tests.integration.live.rig import FRONT, SECRET, Rig, UnixLink, running


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running() as made:
        yield made


class Node:
    """Plays the agent of host `node`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.looks = 0
        self.screen = rig.paths.run / "vnc.sock"
        self.link: Link = UnixLink(
            rig.config, on_look=self.look, console_output=self.console_output, vnc_socket=self.vnc_socket
        )

    def look(self) -> None:
        self.looks += 1

    def console_output(self, server_id: str, lines: int | None) -> str:
        if server_id == "unknown":
            raise NotFound("No such guest.")
        if server_id == "broken":
            raise RuntimeError("a bug")
        return f"console of {server_id}, {lines} lines\n"

    def vnc_socket(self, server_id: str) -> Path | None:
        return self.screen if server_id == "guest" else None


@contextlib.asynccontextmanager
async def connected(node: Node) -> AsyncIterator[None]:
    task = asyncio.create_task(node.link.run())
    try:
        await until(lambda: "node" in node.rig.server.agents._sockets and node.looks > 0)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: "node" not in node.rig.server.agents._sockets)


async def until(condition: Any, timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 anything may be waited for
            await asyncio.sleep(0.01)


def test_a_wake_up_reaches_the_agent_and_many_at_once_are_one(rig: Rig) -> None:
    async def walk() -> None:
        node = Node(rig)
        async with connected(node):
            before = node.looks
            for _ in range(100):
                rig.client.wake("node")
            await until(lambda: node.looks > before)
            await asyncio.sleep(0.1)
            assert node.looks - before < 100
            rig.client.wake("elsewhere")

    rig.run(walk())


def test_waking_never_fails(rig: Rig, tmp_path: Path) -> None:
    from pilvi.kernel.config import Secret
    from pilvi.live.client import LiveClient

    client = LiveClient(tmp_path / "no.sock", tmp_path / "none.sock", Secret("x"))
    client.wake("node")
    with pytest.raises(Unavailable, match="gives no answer"):
        client.console_output("node", "guest", 5)
    client.close()


def test_a_console_is_read_from_its_host(rig: Rig) -> None:
    async def walk() -> None:
        async with connected(Node(rig)):
            read = rig.client.console_output
            assert await asyncio.to_thread(read, "node", "guest", 7) == "console of guest, 7 lines\n"
            assert await asyncio.to_thread(read, "node", "guest", None) == "console of guest, None lines\n"
            with pytest.raises(Unavailable, match="No such guest"):
                await asyncio.to_thread(read, "node", "unknown", 7)
            with pytest.raises(Unavailable, match="could not read"):
                await asyncio.to_thread(read, "node", "broken", 7)

    rig.run(walk())


def test_a_host_that_is_away_is_said_to_be(rig: Rig) -> None:
    with pytest.raises(Unavailable, match="not connected"):
        rig.client.console_output("node", "guest", 5)


def test_a_second_line_of_a_host_takes_over(rig: Rig) -> None:
    async def walk() -> None:
        node = Node(rig)
        async with connected(node):
            first = rig.server.agents._sockets["node"]
            task = asyncio.create_task(Node(rig).link.run())
            await until(lambda: rig.server.agents._sockets.get("node") is not first and first.closed)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            before = node.looks
            await until(lambda: node.looks > before)

    rig.run(walk())


def test_only_processes_of_this_machine_ask_hosts(rig: Rig) -> None:
    path = "/internal/console-output?host=node&server_id=guest"
    assert rig.ask("GET", path, who=None)[0] == 404
    assert rig.ask("GET", path, who="admin", **{INTERNAL_HEADER: SECRET})[0] == 404


@pytest.mark.parametrize("path", ["/agent/v1/events", "/agent/v1/tunnel/x", "/agent/v1/images/x/file"])
def test_agents_paths_need_a_proven_host(rig: Rig, path: str) -> None:
    assert rig.ask("GET", path, who="admin")[0] == 401
    assert rig.ask("GET", path, X_Pilvi_Host="node", X_Pilvi_Front="guess")[0] == 401


# ---- screens -----------------------------------------------------------------------------------------------------


def redeemed(server_id: str = "guest") -> Any:
    used: set[str] = set()

    def redeem(tx: Any, token: str) -> ConsoleToken:
        if token != "good" or token in used:
            raise Unauthorized("used or expired")
        used.add(token)
        return ConsoleToken("", server_id, "node", "novnc", "", "", 0.0, False)

    return redeem


@contextlib.asynccontextmanager
async def screen(path: Path) -> AsyncIterator[None]:
    """A guest's screen that greets and then echoes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"RFB 003.008\n")
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()

    path.unlink(missing_ok=True)  # noqa: ASYNC240 a test
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


@contextlib.asynccontextmanager
async def browser(rig: Rig, token: str = "good", **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    connector = aiohttp.UnixConnector(str(rig.paths.live_socket))
    async with (
        aiohttp.ClientSession(connector=connector, headers={**FRONT, **headers}) as session,
        session.ws_connect(f"http://live/console/websocket?token={token}", protocols=("binary",)) as socket,
    ):
        yield socket


def test_a_browser_sees_the_screen_once_per_token(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "redeem", redeemed())

    async def walk() -> None:
        node = Node(rig)
        async with connected(node), screen(node.screen):
            async with browser(rig, Origin="http://cloud.example") as socket:
                assert socket.protocol == "binary"
                assert await socket.receive_bytes(timeout=10) == b"RFB 003.008\n"
                sent = b"x" * 300_000
                await socket.send_bytes(sent)
                received = b""
                while len(received) < len(sent):
                    received += await socket.receive_bytes(timeout=10)
                assert received == sent
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with browser(rig):
                    pass
            assert refused.value.status == 403

    rig.run(walk())


def test_the_browser_hears_when_the_screen_goes_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "redeem", redeemed())

    async def walk() -> None:
        node = Node(rig)

        async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"bye")
            writer.close()

        node.screen.unlink(missing_ok=True)
        async with connected(node), await asyncio.start_unix_server(short, node.screen), browser(rig) as socket:
            assert await socket.receive_bytes(timeout=10) == b"bye"
            assert (await socket.receive(timeout=10)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    rig.run(walk())


@pytest.mark.parametrize(("server_id", "online"), [("without-screen", True), ("guest", False)])
def test_a_screen_that_cannot_be_reached_is_503(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, server_id: str, online: bool
) -> None:
    monkeypatch.setattr(compute, "redeem", redeemed(server_id))
    monkeypatch.setattr(consoles, "TUNNEL_TIMEOUT_S", 0.5)

    async def walk() -> None:
        async with connected(Node(rig)) if online else contextlib.nullcontext():
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with browser(rig):
                    pass
            assert refused.value.status == 503

    rig.run(walk())


def test_a_page_of_another_site_opens_no_console(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "redeem", redeemed())

    async def walk() -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with browser(rig, Origin="http://evil.example"):
                pass
        assert refused.value.status == 403

    rig.run(walk())


def test_nobody_opens_a_tunnel_that_was_not_asked_for(rig: Rig) -> None:
    assert rig.ask("GET", "/agent/v1/tunnel/guess", who=None, X_Pilvi_Host="node")[0] == 404


@pytest.mark.skipif(not consoles.PAGES.is_dir(), reason="needs novnc")
def test_the_consoles_page_is_served_and_nothing_beside_it(rig: Rig) -> None:
    status, headers, content = rig.ask("GET", "/console/vnc.html", who=None)
    assert status == 200
    assert b"</html>" in content
    assert headers["referrer-policy"] == "no-referrer"
    for path in (
        "/console/../../etc/passwd",
        "/console/%2e%2e/%2e%2e/etc/passwd",
        "/console//etc/passwd",
        "/console/no",
    ):
        assert rig.ask("GET", path, who=None)[0] == 404


# ---- images of hosts ---------------------------------------------------------------------------------------------


def test_a_host_reads_the_images_of_its_own_servers(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    id, other, empty = rig.image(), rig.image(), rig.image()
    rig.upload(id, b"disk")
    rig.upload(other, b"disk")
    monkeypatch.setattr(compute, "uses_image", lambda tx, host, image: host == "node" and image in (id, empty))

    def read(image: str, host: str) -> tuple[int, bytes]:
        return rig.ask("GET", f"/agent/v1/images/{image}/file", who=None, X_Pilvi_Host=host)[::2]

    assert read(id, "node") == (200, b"disk")
    for image, host in ((other, "node"), (id, "another"), (empty, "node")):
        assert read(image, host)[0] == 404


def test_the_process_says_that_it_lives(rig: Rig) -> None:
    assert rig.ask("GET", "/healthz", who=None)[0] == 200
