"""Fetches bytes of an address that a user gave. The address that was checked is the address that is connected to."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from pilvi.image.drivers.protocol import StoreFault
from pilvi.image.imports.model import PORTS, check_uri, is_listed, is_public
from pilvi.kernel.errors import BadRequest

CHUNK_BYTES: Final = 256 * 1024
TIMEOUT_S: Final = 30.0
MOST_REDIRECTS: Final = 5
REDIRECTS: Final = (301, 302, 303, 307, 308)


class CannotFetch(StoreFault):
    """Why nothing came; for the user."""


@dataclass(frozen=True, slots=True)
class WebReader:
    """Images at other people's web servers, named by their addresses."""

    allowed_hosts: frozenset[str]
    largest_bytes: int

    def read(self, name: str, /) -> Iterator[bytes]:
        return fetch(name, allowed_hosts=self.allowed_hosts, largest_bytes=self.largest_bytes)


def fetch(uri: str, *, allowed_hosts: frozenset[str], largest_bytes: int) -> Iterator[bytes]:
    """The bytes behind an address, after redirects that are each checked anew. No credentials are ever sent."""
    for _ in range(MOST_REDIRECTS + 1):
        connection, answer = _get(uri, allowed_hosts)
        try:
            if answer.status in REDIRECTS:
                uri = urljoin(uri, answer.getheader("Location") or "")
                continue
            if answer.status != 200:
                raise CannotFetch(f"{_shown(uri)} answered {answer.status} {answer.reason}.")
            yield from _read(answer, uri, largest_bytes)
            return
        except (OSError, http.client.HTTPException) as error:
            raise CannotFetch(f"{_shown(uri)} broke off: {error}.") from None
        finally:
            answer.close()  # It may have taken the socket over from the connection.
            connection.close()
    raise CannotFetch(f"{_shown(uri)} redirects more than {MOST_REDIRECTS} times.")


def _shown(uri: str) -> str:
    """Without what may be secret."""
    return uri.partition("?")[0][:200]


def _read(answer: http.client.HTTPResponse, uri: str, largest_bytes: int) -> Iterator[bytes]:
    total = 0
    while chunk := answer.read(CHUNK_BYTES):
        total += len(chunk)
        if total > largest_bytes:
            raise CannotFetch(f"{_shown(uri)} is larger than the {largest_bytes} bytes that this cloud allows.")
        yield chunk


def _get(uri: str, allowed_hosts: frozenset[str]) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    try:
        parts = check_uri(uri, allowed_hosts)
    except BadRequest as fault:
        raise CannotFetch(fault.message) from None
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    address = _resolve(host, port, is_free=is_listed(host, port, allowed_hosts))
    connection = _Pinned(host, port, address, is_secure=parts.scheme == "https")
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": "pilvi", "Accept": "*/*", "Accept-Encoding": "identity"})
        return connection, connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise CannotFetch(f"{_shown(uri)} cannot be reached: {error}.") from None


def _resolve(host: str, port: int, *, is_free: bool) -> str:
    """One address of the host. If any of them is not public, the name is not trusted at all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CannotFetch(f"The host {host} is not known.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not is_free and not all(is_public(ipaddress.ip_address(a.partition("%")[0])) for a in addresses):
        raise CannotFetch(f"URI for web-download does not pass filtering: {host} is not on the public internet.")
    return addresses[0]


class _Pinned(http.client.HTTPConnection):
    """Connects to one given address, and over TLS still expects the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, *, is_secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = address
        self._context = ssl.create_default_context() if is_secure else None
        if is_secure:
            setattr(self, "default_port", PORTS["https"])  # noqa: B010 the Host header has no needless port then

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self.host)
