"""A headless Chromium for tests: opens a page, waits for what the page must show, takes a picture."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--remote-debugging-port=0", "--window-size=900,560",
)  # fmt: skip


def picture(url: str, target: Path, *, ready: str, settle_s: float = 3.0, limit_s: float = 90.0) -> None:
    """Open `url`, wait until the JavaScript expression `ready` is true, let it settle, save a PNG."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "chromium is missing: apt-get install chromium"
    with tempfile.TemporaryDirectory(prefix="pilvi-browser-", ignore_cleanup_errors=True) as folder:
        argv = [chromium, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        browser = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _port(Path(folder) / "DevToolsActivePort", limit_s)
            target.write_bytes(asyncio.run(_shoot(port, url, ready, settle_s, limit_s)))
        finally:
            browser.terminate()
            browser.wait(20)


def _port(path: Path, limit_s: float) -> int:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()).strip():
            return int(text.split()[0])
        time.sleep(0.2)
    raise AssertionError("chromium did not start")


async def _shoot(port: int, url: str, ready: str, settle_s: float, limit_s: float) -> bytes:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = json.loads(await answer.text())
        page = next(p for p in pages if p["type"] == "page")
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            await _ask(socket, 1, "Page.navigate", url=url)
            end = time.monotonic() + limit_s
            while time.monotonic() < end:
                found = await _ask(socket, 2, "Runtime.evaluate", expression=ready)
                if found["result"].get("value") is True:
                    break
                await asyncio.sleep(0.3)
            else:
                raise AssertionError(f"{ready} did not become true")
            await asyncio.sleep(settle_s)
            shot = await _ask(socket, 3, "Page.captureScreenshot", format="png")
            return base64.b64decode(shot["data"])


async def _ask(socket: aiohttp.ClientWebSocketResponse, number: int, method: str, **parameters: Any) -> Any:
    await socket.send_str(json.dumps({"id": number, "method": method, "params": parameters}))
    while True:
        message = json.loads((await socket.receive(timeout=60)).data)
        if message.get("id") == number:
            assert "result" in message, message
            return message["result"]
