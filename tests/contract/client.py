"""A client in process: the real edge, handlers, services and database, without a socket."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

Wsgi = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content) if self.content else None


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to one service as one caller; `as_…` and `at` give other callers and services."""

    app: Wsgi
    tokens: Mapping[str, str]
    prefix: str = ""
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Ids of what the cloud starts with."""
    database: Any = None

    def at(self, prefix: str) -> "Client":
        return replace(self, prefix=prefix)

    def as_(self, who: str) -> "Client":
        return replace(self, token=self.tokens[who])

    def as_admin(self) -> "Client":
        return self.as_("admin")

    def as_member(self) -> "Client":
        return self.as_("member")

    def as_reader(self) -> "Client":
        return self.as_("reader")

    def as_stranger(self) -> "Client":
        """A member of another project."""
        return self.as_("stranger")

    def anonymous(self) -> "Client":
        return replace(self, token=None)

    def as_host(self) -> "Client":
        """The agent of host `node`, as the front lets it in."""
        headers = {"X-Pilvi-Host": "node", "X-Pilvi-Front": "front-secret"}
        return replace(self, token=None, headers=headers, prefix="/agent/v1")

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        microversion: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        sent = dict(self.headers) | dict(headers or {})
        if self.token is not None:
            sent.setdefault("X-Auth-Token", self.token)
        if microversion is not None:
            word = {"/compute/v2.1": "compute", "/placement": "placement"}[self.prefix]
            sent["OpenStack-API-Version"] = f"{word} {microversion}"
        data = raw if raw is not None else b"" if body is None else orjson.dumps(body)
        return call(self.app, method, self.prefix + path, data, sent)

    def get(self, path: str, **more: Any) -> Reply:
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.request("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.request("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.request("DELETE", path, **more)


def call(app: Wsgi, method: str, url: str, data: bytes, headers: Mapping[str, str]) -> Reply:
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query,
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data), "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    if data:
        environ["CONTENT_LENGTH"] = str(len(data))
        environ["CONTENT_TYPE"] = "application/json"
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    answer: dict[str, Any] = {}

    def start(status: str, found: list[tuple[str, str]], *_: Any) -> None:
        answer["status"], answer["headers"] = int(status.split()[0]), dict(found)

    content = b"".join(app(environ, start))
    return Reply(answer["status"], answer["headers"], content)
