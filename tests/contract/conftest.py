"""A cloud in process, on SQLite and on PostgreSQL: the same schema, accounts and edge as the real one."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pilvi import main
from pilvi.identity import facade as identity
from pilvi.kernel import log
from pilvi.kernel.config import CloudConfig, Config, Secret
from pilvi.kernel.db import Database, connect
from pilvi.kernel.http import Edge
from pilvi.kernel.migrate import migrate
from tests.contract import operations
from tests.contract.client import Client

PASSWORD = "secret-of-admin"
PREFIX = "/compute/v2.1"
ENGINES = ("sqlite", "postgresql")
if operations.VARIABLE in os.environ:
    operations.start()


def installed() -> list[str]:
    """The services of this source tree, in the order of their migrations."""
    return list(main.SCHEMA)


def furnish(database: Database) -> None:
    """Schema and bootstrap, as `pilvi up` makes them."""
    migrate(database, installed())
    hashed = identity.hash_password(PASSWORD)
    database.write(
        lambda tx: identity.bootstrap(
            tx, admin_password_hash=hashed, region="RegionOne", public_url="http://127.0.0.1:8780"
        )
    )


def open_cloud(database: Database, state: Path) -> Client:
    config = Config(cloud=CloudConfig(state_dir=state))
    edge = Edge(
        database,
        main.services_of(config),
        identity.authenticate,
        public_url=config.cloud.public_url,
        front_secret=Secret("front-secret"),
        permits=identity.permits,
    )
    return Client(edge.application(), {}, database=database)


def password_body(user: str, password: str, project: str | None) -> dict[str, Any]:
    who = {"name": user, "domain": {"id": "default"}, "password": password}
    body: dict[str, Any] = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}}}
    if project is not None:
        body["auth"]["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
    return body


def login(cloud: Client, user: str, password: str, project: str | None) -> str:
    reply = cloud.anonymous().at("/identity/v3").post("/auth/tokens", password_body(user, password, project))
    assert reply.status == 201, reply.content
    return reply.headers.get("X-Subject-Token") or reply.headers["x-subject-token"]


def settle(cloud: Client) -> Client:
    """Two projects and a user for each part that tests play: admin, member, reader, stranger."""
    known = getattr(cloud.database, "accounts", None)
    if known is None:
        return _settle(cloud)
    tokens, facts = known
    return Client(cloud.app, dict(tokens), PREFIX, tokens["member"], facts=facts, database=cloud.database)


def _settle(cloud: Client) -> Client:
    tokens = {"admin": login(cloud, "admin", PASSWORD, "admin")}
    admin = Client(cloud.app, tokens, "/identity/v3", tokens["admin"], database=cloud.database)
    roles = {role["name"]: role["id"] for role in admin.get("/roles").body["roles"]}
    facts: dict[str, Any] = {"roles": roles}
    for project in ("demo", "other"):
        made = admin.post("/projects", {"project": {"name": project, "domain_id": "default"}})
        facts[project] = made.body["project"]["id"]
    for user, project, role in (
        ("member", "demo", "member"),
        ("reader", "demo", "reader"),
        ("manager", "demo", "manager"),
        ("stranger", "other", "member"),
    ):
        body = {"user": {"name": user, "domain_id": "default", "password": f"secret-of-{user}"}}
        user_id = admin.post("/users", body).body["user"]["id"]
        facts[user] = user_id
        granted = admin.put(f"/projects/{facts[project]}/users/{user_id}/roles/{roles[role]}")
        assert granted.status == 204, granted.content
        tokens[user] = login(cloud, user, f"secret-of-{user}", project)
    return Client(cloud.app, tokens, PREFIX, tokens["member"], facts=facts, database=cloud.database)


Accounts = tuple[Mapping[str, str], Mapping[str, Any]]


def furnish_template(database: Database, folder: Path) -> Accounts:
    """A template holds the accounts too: passwords are slow on purpose, and every test wants the same ones."""
    furnish(database)
    cloud = _settle(open_cloud(database, folder))
    database.close()
    return cloud.tokens, cloud.facts


@pytest.fixture(scope="session", autouse=True)
def quiet_logs(tmp_path_factory: pytest.TempPathFactory) -> None:
    log.configure("test", tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Accounts]:
    folder = tmp_path_factory.mktemp("template")
    path = folder / "cloud.db"
    return path, furnish_template(connect(str(path)), folder)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A throw-away server; or the one that PILVI_TEST_PG_URL names."""
    given = os.environ.get("PILVI_TEST_PG_URL")
    if given:
        yield given
        return
    from pilvi.ops.scratch_postgres import scratch_postgres

    with scratch_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Accounts]:
    """A database with schema and bootstrap, copied for each test."""
    import psycopg

    name = f"template_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as raw:
        raw.execute(f'create database "{name}"')
    database = connect(_named(postgres_url, name))
    return name, furnish_template(database, tmp_path_factory.mktemp("template"))


def _named(url: str, name: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty cloud's database, on each engine."""
    if request.param == "sqlite":
        template, accounts = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "cloud.db")
        opened: Any = connect(str(tmp_path / "cloud.db"))
        opened.accounts = accounts
        yield opened
        opened.close()
        return
    import psycopg

    url: str = request.getfixturevalue("postgres_url")
    name, accounts = request.getfixturevalue("postgres_template")
    fresh = f"test_{os.getpid()}_{abs(hash(tmp_path))}"
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(f'create database "{fresh}" template "{name}"')
    opened = connect(_named(url, fresh))
    opened.accounts = accounts
    yield opened
    opened.close()
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(f'drop database "{fresh}" with (force)')


@pytest.fixture
def cloud(database: Database, tmp_path: Path) -> Client:
    """A client of compute as a member of project demo; `.at(prefix)` and `.as_…()` give the rest."""
    return settle(open_cloud(database, tmp_path))
