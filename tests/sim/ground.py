"""What every world begins with: a database with people, roles and one thing of every kind, made once per process."""

import atexit
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from pilvi import main
from pilvi.identity import facade as identity
from pilvi.kernel import clock, ids, log
from pilvi.kernel.config import AgentConfig, CloudConfig, Config, IdentityConfig, ImageConfig, Secret
from pilvi.kernel.db import connect
from pilvi.kernel.http import Edge
from pilvi.kernel.migrate import migrate
from pilvi.kernel.wire import FOREVER
from pilvi.ops.gates import shared_memory
from tests.sim.atlas import Atlas
from tests.sim.database import SimDatabase
from tests.sim.host import SECRET
from tests.sim.paths import COMPUTE, IDENTITY, IMAGE, NETWORK
from tests.sim.scheduler import EPOCH_S
from tests.sim.wire import Reply, call
from tests.sim.wishes import MAKES, TENANT
from tests.sim.words import Words

TENANTS = ("red", "green", "blue")
ROBOT = "robot"
"""Another service of the cloud."""
PASSWORD = "secret-of-admin"
NOT_AT_FIRST = (f"{IMAGE}/cache", f"{IMAGE}/tasks")
"""What begins work that nobody does yet."""


class StillClock:
    def now(self) -> float:
        return EPOCH_S

    def monotonic(self) -> float:
        return 1000.0


@dataclass(frozen=True)
class Ground:
    """What every world begins with: made once per Python process, for passwords are slow on purpose."""

    folder: Path
    config: Config
    image: bytes
    tokens: dict[str, str]
    projects: dict[str, str]
    users: dict[str, str]
    roles: dict[str, str]
    edge: Edge
    app: Callable[..., Any]
    routes: dict[int, str]
    """What each route of the product is called, by its identity."""
    atlas: Atlas
    """What there is."""

    @property
    def newest(self) -> dict[str, str]:
        """The header that asks for the newest microversion, by service."""
        found = {}
        for service in self.edge.services:
            if service.versions is not None:
                found[service.name] = service.versions.echo(service.versions.maximum)["OpenStack-API-Version"]
        return found


@cache
def _folder() -> Path:
    """Processes that are forked later put their own below it."""
    folder = Path(tempfile.mkdtemp(prefix="pilvi-sim-", dir=shared_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def ground() -> Ground:
    """Of this process: worlds have files, and each lays hold of those that nobody's row names."""
    return _ground(os.getpid())


@cache
def _ground(process_id: int) -> Ground:
    folder = Path(tempfile.mkdtemp(prefix=f"{process_id}-", dir=_folder()))
    config = Config(
        cloud=CloudConfig(state_dir=folder / "cloud"), identity=IdentityConfig(token_lifetime_s=10 * 365 * 86400),
        image=ImageConfig(second_store=folder / "cloud" / "images" / "second", show_locations=True),
        agent=AgentConfig(host="sim"),
    )  # fmt: skip
    log.configure("sim", folder / "log", level="error")
    formers = clock.use(StillClock()), ids.use(random.Random(0).randbytes)
    try:
        path = str(folder / "ground.db")
        database = connect(path)
        migrate(database, list(main.SCHEMA))
        hashed = identity.hash_password(PASSWORD)
        database.write(
            lambda tx: identity.bootstrap(
                tx, admin_password_hash=hashed, region="RegionOne", public_url="http://127.0.0.1:8780"
            )
        )
        edge = main.edge_of(config, database, Secret(SECRET))
        app = edge.application()
        tokens, projects, users, roles = _accounts(app)
        found = Ground(folder, config, b"", tokens, projects, users, roles, edge, app, _names(edge), Atlas())
        _furnish(found)
        database.close()
        return replace(found, image=SimDatabase.image_of(path))
    finally:
        clock.use(formers[0])
        ids.use(formers[1])


def _names(edge: Edge) -> dict[int, str]:
    found = {}
    for service in edge.services:
        for route in service.routes:
            action = f" {{{route.action}}}" if route.action else ""
            since = f" since {route.since}" if route.since else ""
            until = f" until {route.until}" if route.until < FOREVER else ""
            found[id(route)] = f"{route.method} {service.prefix}{route.path}{action}{since}{until}"
    return found


def _accounts(app: Callable[..., Any]) -> tuple[dict[str, str], ...]:
    """Tokens, projects, users and roles, by name."""

    def ask(method: str, path: str, body: Any, token: str = "") -> Reply:
        headers = {"X-Auth-Token": token} if token else {}
        reply = call(app, method, f"/identity/v3{path}", orjson.dumps(body) if body else b"", headers)
        assert reply.status < 300, (path, reply.content)
        return reply

    def login(user: str, password: str, project: str) -> str:
        who = {"name": user, "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": project, "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
        headers = {k.lower(): v for k, v in ask("POST", "/auth/tokens", body).headers.items()}
        return str(headers["x-subject-token"])

    tokens = {"admin": login("admin", PASSWORD, "admin")}
    admin = tokens["admin"]
    roles = {role["name"]: role["id"] for role in ask("GET", "/roles", None, admin).body["roles"]}
    mine = ask("GET", "/auth/projects", None, admin).body["projects"]
    projects = {one["name"]: one["id"] for one in mine}
    users = {one["name"]: one["id"] for one in ask("GET", "/users", None, admin).body["users"]}
    for name in (*TENANTS, ROBOT):
        project = ask("POST", "/projects", {"project": {"name": name, "domain_id": "default"}}, admin).body["project"]
        user = {"name": name, "domain_id": "default", "password": f"secret-of-{name}"}
        user_id = ask("POST", "/users", {"user": user}, admin).body["user"]["id"]
        ask("PUT", f"/projects/{project['id']}/users/{user_id}/roles/{roles['member']}", None, admin)
        if name == ROBOT:
            ask("PUT", f"/projects/{project['id']}/users/{user_id}/roles/{roles['service']}", None, admin)
        projects[name], users[name] = project["id"], user_id
        tokens[name] = login(name, f"secret-of-{name}", name)
    return tokens, projects, users, roles


def _furnish(ground: Ground) -> None:
    """One thing of every kind that `wishes.py` makes, and of most kinds two, so that the second can go."""
    for kind in ("projects", "users", "roles", "domains", "regions", "services", "endpoints"):
        ground.atlas.learn_list("admin", f"{IDENTITY}/{kind}", _ask(ground, "admin", "GET", f"{IDENTITY}/{kind}"))
    for project in ground.projects.values():
        for path in (f"{COMPUTE}/os-quota-sets/{project}", f"{NETWORK}/quotas/{project}"):
            ground.atlas.add("admin", path, is_fixed=True)
    rng, names = random.Random(0), iter(range(10_000))
    words = Words(ground.atlas, rng, lambda what: f"{what}-first-{next(names)}", ground.users, ground.projects)
    for wish in [*MAKES, *MAKES]:
        who = rng.choice(TENANTS) if wish.who == TENANT else "admin"
        path, body = words.filled(wish.path, who), words.filled(wish.body, who)
        if path is None or (wish.body is not None and body is None) or path.startswith(NOT_AT_FIRST):
            continue
        ground.atlas.learn(who, wish.method, path, body, _ask(ground, who, wish.method, path, body))


def _ask(ground: Ground, who: str, method: str, path: str, body: Any = None) -> Reply:
    headers = {"X-Auth-Token": ground.tokens[who]}
    if version := ground.newest.get(path.split("/")[1]):
        headers["OpenStack-API-Version"] = version
    return call(ground.app, method, path, orjson.dumps(body) if body is not None else b"", headers)
