"""The documents: valid by the published validator, complete, and served to everybody."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from pilvi import main
from pilvi.kernel.config import CloudConfig, Config
from pilvi.ops.openapi.document import TITLES, document
from tests.contract.client import Client


def made(name: str) -> dict[str, Any]:
    return document(main.services_of(Config(cloud=CloudConfig(state_dir=Path("/nowhere")))), name)


@pytest.mark.parametrize("name", TITLES)
def test_a_document_is_what_the_specification_says(name: str) -> None:
    OpenAPIV31SpecValidator(made(name)).validate()


@pytest.mark.parametrize("name", TITLES)
def test_every_route_is_in_the_document(name: str) -> None:
    found = made(name)
    known = {(m.upper(), p.count("/")) for p, item in found["paths"].items() for m in item if m != "parameters"}
    count = sum(len(item.keys() - {"parameters"}) for item in found["paths"].values())
    services = [s for s in main.services_of(Config(cloud=CloudConfig(state_dir=Path("/nowhere"))))
                if s.name in (name, f"{name}_root")]  # fmt: skip
    routes = {(r.method, s.prefix + "/".join("{}" if p.startswith("{") else p for p in r.path.split("/")))
              for s in services for r in s.routes}  # fmt: skip
    live = 3 if name == "image" else 0
    assert count == len(routes) + live
    assert {method for method, _ in routes} == {method for method, _ in known}


def test_bodies_have_shapes() -> None:
    """A raw body's schema stands beside its parser; an action without arguments needs none."""
    for service in main.services_of(Config(cloud=CloudConfig(state_dir=Path("/nowhere")))):
        shapeless = [r.name for r in service.routes if r.raw and not r.shape and not r.action and r.auth != "host"]
        assert shapeless == [], service.name


def test_an_action_table_is_one_operation_with_every_action() -> None:
    content = made("compute")["paths"]["/v2.1/servers/{server_id}/action"]["post"]["requestBody"]["content"]
    actions = {entry["title"]: entry for entry in content["application/json"]["schema"]["oneOf"]}
    assert {"reboot", "os-stop", "lock"} <= set(actions)
    assert actions["os-stop"]["required"] == ["os-stop"]
    assert actions["reboot"]["x-pilvi-rule"] == "os_compute_api:servers:reboot"


def test_fields_say_which_microversion_brought_them() -> None:
    schemas = made("compute")["components"]["schemas"]
    tags = schemas["servers.ServerCreate"]["properties"]["server"]["properties"]["tags"]
    assert tags["x-pilvi-since"] == "2.52"
    assert schemas["servers.ServerView"]["properties"]["OS-EXT-SRV-ATTR:host"]["x-pilvi-shown-to"]


def test_documents_are_served_without_a_token(cloud: Client) -> None:
    client = cloud.anonymous().at("/openapi")
    listed = [entry["service"] for entry in client.get("").body["documents"]]
    assert listed == list(TITLES)
    reply = client.get("/identity.json")
    assert reply.status == 200
    assert json.loads(reply.content)["info"]["title"] == TITLES["identity"]
    headers = {name.lower(): value for name, value in reply.headers.items()}
    assert headers["content-type"] == "application/json"
    again = client.get("/identity.json", headers={"If-None-Match": headers["etag"]})
    assert (again.status, again.content) == (304, b"")
    assert client.get("/nothing.json").status == 404
    assert client.post("/identity.json", {}).status == 405
