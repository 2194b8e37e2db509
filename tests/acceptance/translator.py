"""Speaks placement's no-auth convention to the suite, and Pilvi's own to the cloud.

The suite says `x-auth-token: user`, `x-roles: reader` and hopes that the service believes it. Here that becomes a real
user with this role and a real token; what the suite calls projects become real projects. What is below `/placement` in
the cloud is below `/` for the suite, whose links are written so.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.e2e.site import Site

PREFIX = "/placement"
NOT_PASSED_ON = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "x-auth-token", "x-roles",
     "x-project-id", "openstack-system-scope")
)  # fmt: skip
NOTHING = "may-nothing"
"""A role that no rule names: a token needs one."""
UUID_DASHES = 4
Reply = tuple[int, list[tuple[str, str]], bytes]


class Claim(NamedTuple):
    """Who the suite says it is."""

    roles: tuple[str, ...]
    project: str | None
    """The suite's own name for it; None: the system."""


def claim_of(headers: Mapping[str, str]) -> Claim:
    """As placement's no-auth mode reads the headers."""
    user, _, project = headers["x-auth-token"].partition(":")
    roles = headers.get("x-roles") or ("admin" if user == "admin" else NOTHING)
    scope = None if headers.get("openstack-system-scope") else headers.get("x-project-id") or project or user
    return Claim(tuple(sorted(roles.split(","))), scope)


class Accounts:
    """Makes what the claims need through the identity API, each once."""

    def __init__(self, port: int, admin_password: str) -> None:
        self.port = port
        self.lock = threading.Lock()
        self.projects: dict[str, str] = {}
        """Real ids by what the suite calls them."""
        self._users: dict[tuple[str, ...], tuple[str, str]] = {}
        self._roles: dict[str, str] = {}
        self._tokens: dict[Claim, str] = {}
        password = {"user": {"name": "admin", "domain": {"id": "default"}, "password": admin_password}}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        self._admin = self._log_in({"methods": ["password"], "password": password}, scope)

    def token(self, claim: Claim) -> str:
        with self.lock:
            if claim not in self._tokens:
                self._tokens[claim] = self._make(claim)
            return self._tokens[claim]

    def _make(self, claim: Claim) -> str:
        user, unscoped = self._user(claim.roles)
        place, scope = self._scope(claim.project)
        for name in claim.roles:
            self._ask("PUT", f"{place}/users/{user}/roles/{self._role(name)}")
        return self._log_in({"methods": ["token"], "token": {"id": unscoped}}, scope)

    def _scope(self, project: str | None) -> tuple[str, dict[str, Any]]:
        if project is None:
            return "/system", {"system": {"all": True}}
        if project not in self.projects:
            body = {"project": {"name": f"suite-{project}", "domain_id": "default"}}
            self.projects[project] = self._ask("POST", "/projects", body)["project"]["id"]
        id = self.projects[project]
        return f"/projects/{id}", {"project": {"id": id}}

    def _user(self, roles: tuple[str, ...]) -> tuple[str, str]:
        """Id and unscoped token: a password costs more than a token to check."""
        if roles not in self._users:
            body = {"user": {"name": f"suite-{'-'.join(roles)}", "domain_id": "default", "password": "of-the-suite"}}
            id = self._ask("POST", "/users", body)["user"]["id"]
            login = {"methods": ["password"], "password": {"user": {"id": id, "password": "of-the-suite"}}}
            self._users[roles] = id, self._log_in(login, "unscoped")
        return self._users[roles]

    def _role(self, name: str) -> str:
        if name not in self._roles:
            found = self._ask("GET", f"/roles?name={name}")["roles"]
            role = found[0] if found else self._ask("POST", "/roles", {"role": {"name": name}})["role"]
            self._roles[name] = role["id"]
        return self._roles[name]

    def _log_in(self, identity: dict[str, Any], scope: Any) -> str:
        body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()
        status, headers, content = exchange(
            self.port, "POST", "/identity/v3/auth/tokens", {"content-type": "application/json"}, body
        )
        assert status == 201, content
        return next(value for name, value in headers if name.lower() == "x-subject-token")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"x-auth-token": self._admin, "content-type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        status, _, content = exchange(self.port, method, f"/identity/v3{path}", headers, sent)
        assert status in (200, 201, 204), f"{method} {path} gave {status}: {content!r}"
        return json.loads(content) if content else None


def exchange(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name in headers))
        for name, value in headers.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    accounts: Accounts

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        said = {name.lower(): value for name, value in self.headers.items()}
        headers = {name: value for name, value in said.items() if name not in NOT_PASSED_ON}
        if "x-auth-token" in said:
            headers["x-auth-token"] = self.accounts.token(claim_of(said))
        path, body = self._there(self.path), self._there(self.rfile.read(length).decode("utf-8", "surrogateescape"))
        sent = body.encode("utf-8", "surrogateescape")
        status, answered, content = exchange(self.accounts.port, self.command, PREFIX + path, headers, sent)
        self._answer(status, answered, content)

    def _there(self, text: str) -> str:
        for named, real in list(self.accounts.projects.items()):
            if named.count("-") == UUID_DASHES:  # Words such as `user` stand in texts for other reasons.
                text = text.replace(named, real)
        return text

    def _back(self, text: str) -> str:
        for named, real in list(self.accounts.projects.items()):
            text = text.replace(real, named)
        return text.replace(PREFIX + "/", "/")

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        body = self._back(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in NOT_PASSED_ON:
                self.send_header(name, self._back(value))
        if status not in (204, 304):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def log_message(self, *_: object) -> None: ...


@contextmanager
def translator(site: Site) -> Iterator[str]:
    """The URL at which the suite finds placement."""
    accounts = Accounts(site.port, (site.state / "secrets" / "admin_password").read_text().strip())
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"accounts": accounts}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
