"""Web pages of other origins: those that the operator named may use the APIs, with a real haproxy."""

import http.client
from collections.abc import Iterator

import pytest

from tests.integration.front_rig import Front, running

PAGE, OTHER = "https://dash.example.com", "https://dash.example.com.evil.example"
IMAGE = "/image/v2/images/0f2d2b4e-1111-4222-8333-444455556666/file"
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running(tmp_path_factory.mktemp("front"), cors_origins=f"{PAGE} http://127.0.0.1:3000") as rig:
        yield rig


def ask(front: Front, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply


def test_a_browser_is_told_what_the_page_may_send(front: Front) -> None:
    wish = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "x-auth-token,content-type"}
    reply = ask(front, "OPTIONS", IMAGE, Origin=PAGE, **wish)
    assert (reply.status, reply.headers[ALLOW]) == (200, PAGE)
    assert "PUT" in reply.headers["Access-Control-Allow-Methods"].split(", ")
    assert reply.headers["Access-Control-Allow-Headers"] == "x-auth-token,content-type"
    assert reply.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.parametrize("path", ["/identity/v3", "/object/v1/x", "/agent/v1/state"])
def test_a_page_sees_every_answer_and_what_is_in_its_headers(front: Front, path: str) -> None:
    reply = ask(front, "GET", path, Origin=PAGE)
    assert reply.headers[ALLOW] == PAGE
    assert "X-Subject-Token" in reply.headers["Access-Control-Expose-Headers"]
    assert ask(front, "GET", path, Origin="http://127.0.0.1:3000").headers[ALLOW] == "http://127.0.0.1:3000"


@pytest.mark.parametrize("origin", [OTHER, "null", "http://dash.example.com", f"{PAGE}, {OTHER}", "*"])
def test_other_pages_are_told_nothing(front: Front, origin: str) -> None:
    for reply in (
        ask(front, "GET", "/identity/v3", Origin=origin),
        ask(front, "OPTIONS", "/identity/v3", Origin=origin, Access_Control_Request_Method="GET"),
    ):
        assert reply.status == 200
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]
        assert reply.headers["Vary"] == "Origin"


def test_an_options_request_that_is_no_browsers_question_goes_to_the_service(front: Front) -> None:
    connection_status, answer = front.get("/identity/v3", method="OPTIONS")
    assert (connection_status, answer["by"]) == (200, "api")
