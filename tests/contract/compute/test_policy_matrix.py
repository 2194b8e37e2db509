"""Every route, asked by everyone: what they get is a checked-in table, so that a change of rights is a diff.

    PILVI_WRITE_MATRIX=1 pytest tests/contract/compute/test_policy_matrix.py      writes the table anew

Nothing is changed while asking: every write is undone. Placeholders in paths are real objects of project demo where
there are such, so that an answer says something about rights and not only about ids.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pilvi import main
from pilvi.kernel.config import CloudConfig, Config
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.http import Service
from pilvi.kernel.routing import Route
from tests.contract.client import Client
from tests.contract.compute.conftest import Boot
from tests.contract.conftest import open_cloud

T = TypeVar("T")
TABLE = Path(__file__).parent / "policy_matrix.txt"
ROLES = ("reader", "member", "manager", "admin")
SCOPES = ("project", "domain", "system")
CALLERS = ("anonymous", "unscoped", "stranger", *(f"{scope} {role}" for scope in SCOPES for role in ROLES), "owner")
"""`stranger` is a member of another project. `owner` is whom the objects that belong to users belong to; all others of
project, domain and system are other people with a role there."""
SHORT = {"project": "p", "domain": "d", "system": "s"}
NOBODY = "00000000-0000-4000-8000-000000000000"


class _Undo(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class Undoing:
    """A database whose writes are carried out and then undone."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.compiler, self.moment = inner.compiler, inner.moment
        self.read = inner.read

    def write(self, work: Callable[[Tx], T]) -> T:
        def and_undo(tx: Tx) -> None:
            raise _Undo(work(tx))

        try:
            self.inner.write(and_undo)
        except _Undo as done:
            result: T = done.result
            return result
        raise AssertionError("unreachable")

    def script(self, sql: str) -> None:
        raise AssertionError("no DDL here")

    def close(self) -> None:
        return


def people(cloud: Client) -> dict[str, str]:
    """A token for every caller."""
    admin, facts = cloud.as_("admin").at("/identity/v3"), cloud.facts
    places = {
        "project": ({"project": {"id": facts["demo"]}}, f"/projects/{facts['demo']}"),
        "domain": ({"domain": {"id": "default"}}, "/domains/default"),
        "system": ({"system": {"all": True}}, "/system"),
    }
    tokens = {"stranger": cloud.tokens["stranger"], "owner": cloud.tokens["member"]}
    for role in ROLES:
        body = {"user": {"name": f"matrix-{role}", "domain_id": "default", "password": "secret-of-matrix"}}
        user_id = admin.post("/users", body).body["user"]["id"]
        for place, (scope, path) in places.items():
            assert admin.put(f"{path}/users/{user_id}/roles/{facts['roles'][role]}").status == 204
            tokens[f"{place} {role}"] = _token(cloud, f"matrix-{role}", scope)
    tokens["unscoped"] = _token(cloud, "matrix-reader", "unscoped")
    return tokens


def _token(cloud: Client, name: str, scope: object) -> str:
    user = {"name": name, "domain": {"id": "default"}, "password": "secret-of-matrix"}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    reply = cloud.anonymous().at("/identity/v3").post("/auth/tokens", body)
    assert reply.status == 201, reply.content
    return str(reply.headers.get("X-Subject-Token") or reply.headers["x-subject-token"])


def furniture(cloud: Client, boot: Boot) -> dict[str, str]:
    """Objects of project demo, by the word that paths use for them."""
    facts = cloud.facts
    found = {"project_id": facts["demo"], "user_id": facts["member"], "role_id": facts["roles"]["member"]}
    network = cloud.at("/network/v2.0")
    for plural, body in (
        ("networks", {"network": {"name": "matrix"}}),
        ("routers", {"router": {"name": "matrix"}}),
        ("security-groups", {"security_group": {"name": "matrix"}}),
    ):
        made = network.post(f"/{plural}", body)
        assert made.status == 201, made.content
        found[plural] = next(iter(made.body.values()))["id"]
    subnet = {"subnet": {"network_id": found["networks"], "ip_version": 4, "cidr": "10.9.0.0/24"}}
    found["subnets"] = network.post("/subnets", subnet).body["subnet"]["id"]
    found["ports"] = network.post("/ports", {"port": {"network_id": found["networks"]}}).body["port"]["id"]
    image = cloud.at("/image/v2").post("/images", {"name": "matrix", "disk_format": "raw", "container_format": "bare"})
    assert image.status == 201, image.content
    found["images"] = image.body["id"]
    found["servers"] = boot("matrix")
    found["flavors"] = boot.flavor_id
    return found


def fill(path: str, found: dict[str, str]) -> str:
    """The path with real ids: a placeholder means the collection before it."""
    parts = path.split("/")
    for i, part in enumerate(parts):
        if part.startswith("{"):
            name = part[1:-1]
            parts[i] = found.get(parts[i - 1]) or found.get(name) or found.get(name + "_id") or NOBODY
    return "/".join(parts)


def body_of(route: Route, version: int) -> Any:
    """A small valid body made of the route's own schema, so that the question gets past the parser to the rule."""
    body: dict[str, Any] | None = {} if route.raw or route.action else None
    if route.body is not None:
        body = sample(route.body.document(version))
    if route.action:
        body = {route.action: None} | (body or {})
    return body


SAMPLES = {"uuid": NOBODY, "ip": "10.9.0.9", "ipv4": "10.9.0.9", "ipv6": "::9", "cidr": "10.8.0.0/24",
           "mac": "fa:16:3e:00:00:09", "date-time": "2030-01-01T00:00:00Z"}  # fmt: skip


def sample(schema: dict[str, Any]) -> Any:
    """Something that fits, where that can be told from the schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: sample(properties.get(name, {})) for name in schema.get("required", ())}
        case "array":
            return [sample(schema.get("items", {}))] if schema.get("minItems") else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    return SAMPLES.get(schema.get("format", ""), "matrix")


def heading(who: str) -> str:
    """Five letters: p:rea is a reader of the project, d:adm an admin of the domain."""
    place, _, role = who.partition(" ")
    return f"{SHORT[place]}:{role[:3]}" if role else who[:5]


def ask(cloud: Client, service: Service, route: Route, path: str) -> list[str]:
    version, number = None, 0
    if service.versions is not None:
        number = min(route.until, service.versions.maximum)
        version = service.versions.text(number)
    answers = []
    for who in CALLERS:
        client = cloud.anonymous() if who == "anonymous" else cloud.as_(who)
        headers = {}
        if version is not None and service.versions is not None:
            headers["OpenStack-API-Version"] = f"{service.versions.word} {version}"
        if route.media != ("application/json",):
            headers["Content-Type"] = route.media[0]
        reply = client.at("").request(route.method, path, body_of(route, number), headers=headers)
        answers.append(str(reply.status))
    return answers


def test_what_everyone_may_is_what_the_table_says(cloud: Client, boot: Boot, tmp_path: Path) -> None:
    if cloud.database.compiler.dialect.name != "sqlite":
        return  # Rights do not depend on the engine; the table is walked once.
    found = furniture(cloud, boot)
    walker = open_cloud(Undoing(cloud.database), tmp_path)
    walker = Client(walker.app, people(cloud), "", None, facts=cloud.facts, database=cloud.database)
    lines = [f"{'':90} {' '.join(f'{heading(who):>5}' for who in CALLERS)}"]
    for service in main.services_of(Config(cloud=CloudConfig(state_dir=tmp_path))):
        for route in sorted(service.routes, key=lambda r: (r.path, r.method, r.action, r.since)):
            answers = ask(walker, service, route, service.prefix + fill(route.path, found))
            assert "500" not in answers, (service.name, route.name, answers)
            since = f" {route.since}-" if route.since else ""
            name = f"{service.name} {route.name}{since}"
            lines.append(f"{name:90} {' '.join(f'{answer:>5}' for answer in answers)}")
    text = "\n".join(lines) + "\n"
    if os.environ.get("PILVI_WRITE_MATRIX"):
        TABLE.write_text(text)
    assert text == TABLE.read_text(), "rights have changed: read the difference, then write the table anew"
