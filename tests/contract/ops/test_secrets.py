"""Secrets that were planted everywhere are afterwards in no event, no log, no fault and no word of `why`."""

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pilvi.kernel.db import Database, Tx, metadata
from pilvi.kernel.refusals import quiet
from pilvi.ops.explain import service, text
from tests.contract.client import Client, Reply
from tests.contract.compute.conftest import Boot

TOLD = (
    "kernel_events", "kernel_work", "kernel_hosts", "compute_instance_actions", "compute_instance_action_events",
    "ops_audit_verdicts",
)  # fmt: skip


class Canaries:
    """Makes secrets, each of its own kind, and remembers them."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def __call__(self, kind: str) -> str:
        return self.keep(kind, f"Canary-{uuid.uuid4().hex}")

    def keep(self, kind: str, value: str) -> str:
        assert value
        self.known[kind] = value
        return value

    def in_(self, haystack: str) -> list[str]:
        return [kind for kind, value in self.known.items() if value in haystack]


def header(reply: Reply, name: str) -> str:
    return reply.headers.get(name) or reply.headers[name.lower()]


def tour(boot: Boot, canary: Canaries) -> list[str]:
    """Everything that carries secrets, done well and done badly. Returns the ids of the requests."""
    cloud, requests = boot.cloud, []

    def noted(reply: Reply) -> Reply:
        requests.append(header(reply, "X-Openstack-Request-Id"))
        return reply

    for kind, token in cloud.tokens.items():
        canary.keep(f"token of {kind}", token)
    identity = cloud.as_admin().at("/identity/v3")
    _accounts(identity, canary, noted)
    _servers(boot, canary, noted)
    _keys(cloud, identity, canary, noted)
    return requests


def _accounts(identity: Client, canary: Canaries, noted: Any) -> None:
    first, second = canary("password"), canary("second password")
    user = {"name": "secretive", "domain_id": "default", "password": first}
    id = noted(identity.post("/users", {"user": user})).body["user"]["id"]
    noted(identity.post("/users", {"user": user | {"name": "broken", "password": [canary("password in a list")]}}))
    noted(identity.post("/users", {"user": user | {"password": canary("password of a name that is taken")}}))
    change = {"original_password": first, "password": second}
    noted(identity.post(f"/users/{id}/password", {"user": change}))
    noted(identity.post(f"/users/{id}/password", {"user": change | {"original_password": canary("wrong password")}}))
    for password in (second, canary("password of a failed login")):
        who = {"name": "secretive", "domain": {"id": "default"}, "password": password}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}}}
        reply = noted(identity.anonymous().post("/auth/tokens", body))
        if reply.status == 201:
            canary.keep("token of secretive", header(reply, "X-Subject-Token"))


def _servers(boot: Boot, canary: Canaries, noted: Any) -> None:
    data = base64.b64encode(canary("user data").encode()).decode()
    canary.keep("encoded user data", data)
    made = noted(boot.ask("one", adminPass=canary("admin password"), user_data=data, config_drive=True))
    assert made.status == 202, made.content
    boot.node.turn()
    id = made.body["server"]["id"]
    noted(boot.ask("two", adminPass=[canary("admin password in a list")]))
    noted(boot.ask("three", user_data=canary("user data that is no base64") + "%"))
    noted(boot.ask("four", adminPass=canary("password beside an unknown field"), surprise={"a": canary("surprise")}))
    password = {"changePassword": {"adminPass": canary("changed password")}}
    noted(boot.cloud.post(f"/servers/{id}/action", password))
    generated = noted(boot.ask("five"))
    canary.keep("generated password", generated.body["server"]["adminPass"])
    console = boot.cloud.post(
        f"/servers/{id}/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "novnc"}}, microversion="2.6"
    )
    if console.status == 200:
        canary.keep("console token", console.body["remote_console"]["url"].rpartition("token%3D")[2])
    boot.node.faults["six"] = "The disk of this host is full."
    noted(boot.ask("six", adminPass=canary("password of a server in error")))
    boot.node.turn()


def _keys(cloud: Client, identity: Client, canary: Canaries, noted: Any) -> None:
    pair = noted(cloud.post("/os-keypairs", {"keypair": {"name": "made"}}, microversion="2.2"))
    if pair.status in (200, 201):
        canary.keep("private key", pair.body["keypair"]["private_key"].splitlines()[1])
    own = cloud.at("/identity/v3")
    user = cloud.facts["member"]
    credential = {"name": "app", "secret": canary("secret of an application credential")}
    assert (
        noted(own.post(f"/users/{user}/application_credentials", {"application_credential": credential})).status == 201
    )
    noted(own.post(f"/users/{user}/application_credentials", {"application_credential": credential}))
    blob = json.dumps({"access": "a", "secret": canary("secret in a blob")})
    noted(identity.post("/credentials", {"credential": {"type": "cert", "blob": blob, "user_id": user}}))
    ec2 = noted(own.post(f"/users/{user}/credentials/OS-EC2", {"tenant_id": cloud.facts["demo"]}))
    if ec2.status == 201:
        canary.keep("EC2 secret", ec2.body["credential"]["secret"])


def told(database: Database) -> str:
    """Everything that the cloud wrote down for people, as one text."""

    def rows(tx: Tx) -> list[Any]:
        return [row._asdict() for name in TOLD for row in tx.all(sa.select(metadata.tables[name]))]

    faults = database.read(lambda tx: tx.scalars(sa.select(metadata.tables["compute_servers"].c.fault)))
    return json.dumps([database.read(rows), faults], default=str)


def explained(database: Database, requests: list[str]) -> str:
    names = ["one", "six", "made", "secretive", "app", "node", "net", "tiny", *requests]
    stories = [story for name in names for story in database.read(lambda tx, n=name: service.explain(tx, n))]  # type: ignore[misc]
    assert len(stories) > len(requests) / 2
    pasts = [database.read(lambda tx, n=name: service.state_at(tx, n, "2000-01-01T00:00:00.0Z")) for name in names]  # type: ignore[misc]
    return json.dumps(
        [[text.document(s), text.lines(s), text.lines(s, tree=True)] for s in stories], default=str
    ) + str(pasts)


def test_no_secret_is_told(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> None:
    canary = Canaries()
    requests = tour(boot, canary)
    assert len(canary.known) >= 20
    database = boot.cloud.database
    assert canary.in_(told(database)) == []
    assert canary.in_(explained(database, requests)) == []
    logs = list(Path(tmp_path_factory.getbasetemp()).glob("log*/*.log*"))
    written = "".join(path.read_text(errors="replace") for path in logs)
    assert requests[0] in written  # These are the logs of this very tour.
    assert canary.in_(written) == []


def test_a_message_that_quotes_a_secret_field_loses_what_it_quotes() -> None:
    plain = "Invalid input for field/attribute server/name. '' is too short."
    assert quiet(plain) == plain
    secret = "Invalid input for field/attribute server/adminPass. 'hunter2' is too short."
    assert "hunter2" not in quiet(secret)
    object_ = 'Invalid input for field/attribute server. {"adminPass":"hunter2"} is not valid under any schema.'
    assert "hunter2" not in quiet(object_)
