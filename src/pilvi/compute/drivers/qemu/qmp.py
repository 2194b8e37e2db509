"""A small synchronous QMP client. Every wait ends: QEMU serves one client at a time and lets the next one hang."""

import json
import os
import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pilvi.compute.drivers.protocol import DriverFault

TIMEOUT_S = 15.0
LONGEST_LINE_BYTES = 4 * 1024 * 1024


class QmpFault(DriverFault):
    """QEMU cannot be reached, or said no; `error_class` is QEMU's own word in the latter case."""

    def __init__(self, message: str, *, error_class: str = "") -> None:
        super().__init__(message, retry=True)
        self.error_class = error_class


class Qmp:
    """One connection: `with Qmp(path, uid=…) as qmp: qmp.execute("query-status")`."""

    def __init__(self, path: Path, *, uid: int | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = connect_unix(path, timeout_s=timeout_s)
        self._buffer = b""
        try:
            if uid is not None and peer_uid(self._socket) != uid:
                raise QmpFault(f"{path} does not belong to the guest's user {uid}; it is not spoken to.")
            greeting = self._read()
            if "QMP" not in greeting:
                raise QmpFault(f"{path} does not greet as QEMU does.")
            self.execute("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()

    def detach(self) -> socket.socket:
        """The bare connection, for one who only listens to events."""
        self._socket.setblocking(False)
        return self._socket

    def execute(self, command: str, **arguments: Any) -> Any:
        """The command's return value. Events that arrive in between are dropped: state is asked for, not followed."""
        words = {name.replace("_", "-"): value for name, value in arguments.items()}
        request: dict[str, Any] = {"execute": command}
        if words:
            request["arguments"] = words
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpFault(f"QEMU went away during {command}: {error.strerror}.") from error
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                said = answer["error"]
                raise QmpFault(f"QEMU refused {command}: {said.get('desc')}", error_class=str(said.get("class")))

    def _read(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE_BYTES:
                raise QmpFault("QEMU sent an endless line.")
            try:
                received = self._socket.recv(65536)
            except TimeoutError as late:
                raise QmpFault("QEMU does not answer on its monitor.") from late
            except OSError as error:
                raise QmpFault(f"QEMU's monitor broke: {error.strerror}.") from error
            if not received:
                raise QmpFault("QEMU closed its monitor.")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise QmpFault("QEMU sent something that is not JSON.") from error
        if not isinstance(message, dict):
            raise QmpFault("QEMU sent something that is not an object.")
        return message


def connect_unix(path: Path, *, timeout_s: float) -> socket.socket:
    """Connects by way of the directory's descriptor, because a unix address holds 107 bytes and paths may be longer."""
    try:
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise QmpFault(f"{path.parent} cannot be opened: {error.strerror}.") from error
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{path.name}")
    except OSError as error:
        connection.close()
        raise QmpFault(f"Nobody listens on {path}: {error.strerror or error}.") from error
    finally:
        os.close(directory)
    return connection


def peer_uid(connection: socket.socket) -> int:
    """Who listens at the other end, by the kernel's word."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
