"""The agent's side of the control plane: synchronous HTTP over TLS with the host's own certificate."""

import http.client
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from pilvi.kernel import tracing
from pilvi.kernel.config import Config

TIMEOUT_S: Final = 30.0
CHUNK_BYTES: Final = 1024 * 1024
LARGEST_ANSWER_BYTES: Final = 256 * 1024 * 1024
TAKEN: Final = (204, 410)
"""An image that was sent is there, or nobody waits for it any more."""


class Unreachable(Exception):
    """The control plane does not answer, or not as it should; the host goes on with what it knows."""


def tls_context(config: Config) -> ssl.SSLContext:
    """Trusts this cloud's CA and nothing else; proves which host asks. Made anew after a certificate was renewed."""
    context = ssl.create_default_context(cafile=str(config.paths.ca_certificate))
    context.load_cert_chain(config.paths.host_certificate(config.host), config.paths.host_key(config.host))
    return context


class ControlPlane:
    """One connection, kept; used by one thread at a time. Downloads have connections of their own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._host, _, port = config.front.agents_listen.rpartition(":")
        self._port = int(port)
        self._lock = threading.Lock()
        self._connection: http.client.HTTPSConnection | None = None

    def state(self, known_revision: int | None) -> dict[str, Any] | None:
        """What this host should do; None when that is what it knows already."""
        path = "/agent/v1/state" if known_revision is None else f"/agent/v1/state?revision={known_revision}"
        status, body = self._ask("GET", path, None)
        if status == 304:
            return None
        found = orjson.loads(body)
        if status != 200 or not isinstance(found, dict):
            raise Unreachable(f"GET {path} answered {status}: {body[:300]!r}")
        return found

    def report(self, document: dict[str, Any]) -> dict[str, Any]:
        status, body = self._ask("POST", "/agent/v1/report", orjson.dumps(document))
        if status != 200:
            raise Unreachable(f"The report was answered {status}: {body[:300]!r}")
        answer = orjson.loads(body)
        assert isinstance(answer, dict)
        return answer

    def download(self, image_id: str, into: BinaryIO) -> None:
        """An image's bytes. Raises Unreachable when they do not come or not all of them."""
        connection = self._connect()
        try:
            connection.request("GET", f"/agent/v1/images/{image_id}/file", headers=tracing.outgoing())
            answer = connection.getresponse()
            if answer.status != 200:
                raise Unreachable(f"Image {image_id} cannot be fetched: {answer.status} {answer.read(300)!r}")
            while chunk := answer.read(CHUNK_BYTES):
                into.write(chunk)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"Image {image_id} did not arrive: {error!r}") from None
        finally:
            connection.close()

    def upload(self, image_id: str, path: Path) -> None:
        """An image's bytes. One that nobody waits for any more is dropped. Raises Unreachable when it is not taken."""
        connection = self._connect()
        try:
            with path.open("rb") as file:
                headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
                headers |= tracing.outgoing()
                connection.request("PUT", f"/agent/v1/images/{image_id}/file", file, headers)
            answer = connection.getresponse()
            said = answer.read(300)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"Image {image_id} could not be sent: {error!r}") from None
        finally:
            connection.close()
        if answer.status not in TAKEN:
            raise Unreachable(f"Image {image_id} was not taken: {answer.status} {said!r}")

    def _connect(self) -> http.client.HTTPSConnection:
        try:
            context = tls_context(self._config)
        except OSError as error:
            raise Unreachable(f"This host's certificate cannot be used: {error}. Run `pilvi up`.") from None
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        with self._lock:
            fresh = self._connection is None
            try:
                return self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                if fresh:
                    raise Unreachable(f"The control plane does not answer: {error!r}") from None
            try:  # The kept connection had been closed by the other side: that says nothing yet.
                return self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise Unreachable(f"The control plane does not answer: {error!r}") from None

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        headers = ({"Content-Type": "application/json"} if body is not None else {}) | tracing.outgoing()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read(LARGEST_ANSWER_BYTES)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


Download = Callable[[str, BinaryIO], None]
