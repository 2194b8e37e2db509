"""One authenticated connection to a cloud: a token from a password, the catalog, JSON requests, byte streams.

Standard library only, so that the command line starts fast. It keeps one connection and is not for several threads.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import SplitResult, urlencode, urlsplit

from pilvi.kernel.config import Secret

LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024
Body = bytes | IO[bytes] | Iterable[bytes] | None


class ApiError(Exception):
    """The cloud refused, or did not answer. `status` is 0 when there was no answer."""

    def __init__(self, status: int, message: str, request_id: str = "") -> None:
        super().__init__(f"{message} (request {request_id})" if request_id else message)
        self.status = status
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Credentials:
    auth_url: str  # http://127.0.0.1:8780/identity/v3
    username: str
    password: Secret
    project_name: str
    user_domain_id: str = "default"
    project_domain_id: str = "default"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # Names in lower case.
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None


@dataclass
class Client:
    credentials: Credentials
    ca_path: Path | None = None
    unix_socket: Path | None = None  # Go there instead of the host in the URLs ...
    address: tuple[str, int] | None = None  # ... or there; certificates are checked for the URL's host all the same.
    timeout_s: float = 60.0
    _token: str = field(default="", repr=False)
    _catalog: dict[str, str] = field(default_factory=dict, repr=False)
    _connections: dict[str, http.client.HTTPConnection] = field(default_factory=dict, repr=False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def request(
        self,
        method: str,
        service: str,
        path: str,
        document: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        ok: Iterable[int] = range(200, 300),
    ) -> Reply:
        """To a service of the catalog by its type. Raises ApiError unless the status is in `ok`."""
        if not self._token:
            self.authenticate()
        reply = self._send(method, self._endpoint(service) + path, document, query, headers, body)
        if reply.status == 401:  # The token ran out, or the cloud was made anew.
            self.authenticate()
            reply = self._send(method, self._endpoint(service) + path, document, query, headers, body)
        if reply.status not in ok:
            raise refusal(reply, f"{method} {service} {path}")
        return reply

    def get(self, service: str, path: str, **query: str) -> Any:
        return self.request("GET", service, path, query=query).json

    def authenticate(self) -> None:
        who = self.credentials
        user = {"name": who.username, "domain": {"id": who.user_domain_id}, "password": who.password.reveal()}
        document = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": who.project_name, "domain": {"id": who.project_domain_id}}},
            }
        }
        self._token = ""
        reply = self._send("POST", who.auth_url.rstrip("/") + "/auth/tokens", document)
        if reply.status != 201:
            raise refusal(reply, "Authentication")
        self._token = reply.headers["x-subject-token"]
        self._catalog = {
            service["type"]: endpoint["url"].rstrip("/")
            for service in reply.json["token"].get("catalog", [])
            for endpoint in service["endpoints"]
            if endpoint["interface"] == "public"
        }

    def probe(self, url: str) -> int:
        """The status of an anonymous GET; 0 when nobody answers."""
        try:
            return self._send("GET", url).status
        except ApiError:
            return 0

    def _endpoint(self, service: str) -> str:
        if service not in self._catalog:
            raise ApiError(
                0, f"The catalog has no service of type {service}; it has {', '.join(sorted(self._catalog))}."
            )
        return self._catalog[service]

    def _send(
        self,
        method: str,
        url: str,
        document: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> Reply:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{urlencode(query)}" if query else "")
        sent = {"Accept": "application/json", "Host": parts.netloc, **(headers or {})}
        if self._token:
            sent["X-Auth-Token"] = self._token
        if document is not None:
            body = json.dumps(document).encode()
            sent["Content-Type"] = "application/json"
        try:
            return self._exchange(parts, method, target, body, sent)
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"No answer from {parts.netloc}: {error}.") from error

    def _exchange(self, parts: SplitResult, method: str, target: str, body: Body, headers: Mapping[str, str]) -> Reply:
        connection = self._connections.get(parts.netloc)
        for kept in (True, False):
            if connection is None or not kept:
                connection = self._connections[parts.netloc] = self._connect(parts)
            try:
                connection.request(method, target, body=cast(Any, body), headers=dict(headers))
                response = connection.getresponse()
                content = response.read(LARGEST_ANSWER_BYTES)
                return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, content)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may have been closed meanwhile; only what changes nothing is sent twice.
                connection.close()
                if not kept or method not in ("GET", "HEAD"):
                    raise
            except BaseException:
                connection.close()
                raise
        raise AssertionError("unreachable")

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        if self.unix_socket is not None:
            return _UnixConnection(self.unix_socket, self.timeout_s)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.ca_path) if self.ca_path else None)
            return _SecureConnection(host, port, self.timeout_s, context, self.address or (host, port or 443))
        address = self.address or (host, port or 80)
        return http.client.HTTPConnection(address[0], address[1], timeout=self.timeout_s)


class _SecureConnection(http.client.HTTPConnection):
    """TLS to an address, with the certificate of a name."""

    default_port = 443

    def __init__(
        self, host: str, port: int | None, timeout_s: float, context: ssl.SSLContext, address: tuple[str, int]
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._context, self._address = context, address

    def connect(self) -> None:
        plain = socket.create_connection(self._address, self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def refusal(reply: Reply, what: str) -> ApiError:
    """Finds the sentence in whichever shape the service wraps its errors."""
    request_id = reply.headers.get("x-openstack-request-id", "")
    try:
        document = reply.json
    except ValueError:
        document = None
    message = _sentence(document) or reply.content[:200].decode(errors="replace") or "no message"
    return ApiError(reply.status, f"{what}: {reply.status} {message}", request_id)


def _sentence(document: object) -> str:
    if isinstance(document, dict):
        if isinstance(document.get("message"), str):
            return str(document["message"])
        if isinstance(document.get("detail"), str):
            return str(document["detail"])
        return next(filter(None, (_sentence(value) for value in document.values())), "")
    if isinstance(document, list):
        return next(filter(None, (_sentence(value) for value in document)), "")
    return ""
