"""How the other processes of this machine speak to `live`: wake an agent, ask a host for a console. Synchronous."""

import http.client
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from pilvi.kernel.errors import Fault, NotFound, Unavailable
from pilvi.kernel.log import logger
from pilvi.kernel.secret_files import Secrets

INTERNAL_HEADER: Final = "X-Pilvi-Internal"
CONSOLE_TIMEOUT_S: Final = 8.0
"""Longer than `live` itself waits for the host."""
FIGURES_TIMEOUT_S: Final = 15.0
ANSWER_LIMIT: Final = 16 * 1024 * 1024


class LiveClient:
    """One per process; safe in many threads."""

    def __init__(self, live_socket: Path, wake_socket: Path, secret: Secrets) -> None:
        self._live_socket = str(live_socket)
        self._wake_socket = str(wake_socket)
        self._secret = secret
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagrams.setblocking(False)

    def wake(self, host: str) -> None:
        """Have the agent of a host look again. Never waits, never fails: agents look by themselves now and then."""
        try:
            self._datagrams.sendto(host.encode(), self._wake_socket)
        except OSError as error:
            logger("live").debug("wake.lost", host=host, error=repr(error))

    def work(self) -> None:
        """Have `live` look for imports now. As `wake`."""
        self.wake("")

    def close(self) -> None:
        self._datagrams.close()

    def console_output(self, host: str, server_id: str, lines: int | None) -> str:
        """What a guest wrote to its console, read from its host now."""
        wanted = {"host": host, "server_id": server_id} | ({} if lines is None else {"lines": str(lines)})
        connection = _UnixConnection(self._live_socket, CONSOLE_TIMEOUT_S)
        try:
            connection.request(
                "GET",
                f"/internal/console-output?{urlencode(wanted)}",
                headers={INTERNAL_HEADER: self._secret.current().reveal()},
            )
            answer = connection.getresponse()
            text = answer.read(ANSWER_LIMIT).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The console of {host} cannot be reached: the live process gives no answer.") from error
        finally:
            connection.close()
        if answer.status == 200:
            return text
        fault: type[Fault] = NotFound if answer.status == 404 else Unavailable
        raise fault(text[:500] or f"The console of {host} cannot be reached.")

    def figures(self) -> bytes:
        """The figures of all processes and hosts, as one JSON document."""
        connection = _UnixConnection(self._live_socket, FIGURES_TIMEOUT_S)
        try:
            connection.request("GET", "/internal/figures", headers={INTERNAL_HEADER: self._secret.current().reveal()})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("The live process gives no answer; `pilvi status` says whether it runs.") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise Unavailable(body.decode("utf-8", "replace")[:500])
        return body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("live", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
