"""The small client against a server that answers as a cloud would."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from pilvi.client import ApiError, Client, Credentials
from pilvi.kernel.config import Secret


class Cloud(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tokens = 0
    seen: ClassVar[list[tuple[str, str, bytes]]] = []

    def answer(self, status: int, document: object, **headers: str) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).seen.append((self.command, self.path, body))
        if self.path.endswith("/auth/tokens"):
            type(self).tokens += 1
            url = "http://public.example:1/compute/v2.1/"
            catalog = [{"type": "compute", "endpoints": [{"interface": "public", "url": url}]}]
            self.answer(201, {"token": {"catalog": catalog}}, X_Subject_Token=f"t{self.tokens}")
        elif self.path == "/compute/v2.1/old" and self.headers["X-Auth-Token"] == "t1":
            self.answer(401, {"error": {"message": "expired"}})
        elif self.path == "/compute/v2.1/refused":
            self.answer(403, {"forbidden": {"code": 403, "message": "Quota exceeded"}}, x_openstack_request_id="req-9")
        else:
            self.answer(200, {"path": self.path, "host": self.headers["Host"]})

    do_GET = do_POST = do_PUT = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def client() -> Iterator[Client]:
    Cloud.tokens, Cloud.seen = 0, []
    server = HTTPServer(("127.0.0.1", 0), Cloud)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    credentials = Credentials("http://public.example:1/identity/v3", "admin", Secret("p"), "admin")
    with Client(credentials, address=("127.0.0.1", server.server_address[1])) as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_finds_the_service_in_the_catalog_and_names_the_public_host(client: Client) -> None:
    assert client.get("compute", "/servers", name="a b") == {
        "path": "/compute/v2.1/servers?name=a+b",
        "host": "public.example:1",
    }


def test_a_token_that_ran_out_is_replaced_once(client: Client) -> None:
    client.authenticate()
    assert client.request("GET", "compute", "/old").status == 200
    assert Cloud.tokens == 2


def test_a_refusal_carries_the_clouds_sentence_and_the_request(client: Client) -> None:
    with pytest.raises(ApiError, match=r"403 Quota exceeded \(request req-9\)") as caught:
        client.request("POST", "compute", "/refused", {})
    assert caught.value.status == 403


def test_an_unknown_service_is_told_with_those_that_are(client: Client) -> None:
    with pytest.raises(ApiError, match="it has compute"):
        client.get("volume", "/")


def test_nobody_there_is_an_error_and_for_a_probe_a_zero() -> None:
    credentials = Credentials("http://127.0.0.1:9/identity/v3", "admin", Secret("p"), "admin")
    client = Client(credentials, address=("127.0.0.1", 9))
    assert client.probe("http://127.0.0.1:9/identity/v3") == 0
    with pytest.raises(ApiError, match="No answer"):
        client.authenticate()


def test_the_password_is_sent_to_identity_only(client: Client) -> None:
    client.get("compute", "/servers")
    assert [path for _method, path, body in Cloud.seen if b'"p"' in body] == ["/identity/v3/auth/tokens"]
