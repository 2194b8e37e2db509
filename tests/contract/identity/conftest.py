"""Clients of identity: an administrator's, and logins of all kinds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.client import Client, Reply

Login = Callable[..., Reply]


@pytest.fixture
def admin(cloud: Client) -> Client:
    return cloud.at("/identity/v3").as_admin()


def by_password(user_id: str, password: str) -> dict[str, Any]:
    return {"methods": ["password"], "password": {"user": {"id": user_id, "password": password}}}


def log_in(client: Client, identity: dict[str, Any], scope: Any = None) -> Reply:
    auth: dict[str, Any] = {"identity": identity}
    if scope is not None:
        auth["scope"] = scope
    return client.anonymous().post("/auth/tokens", {"auth": auth})


def token_of(reply: Reply) -> str:
    assert reply.status == 201, reply.content
    return next(value for name, value in reply.headers.items() if name.lower() == "x-subject-token")


def with_token(client: Client, token: str) -> Client:
    return replace(client, token=token)


def validate(client: Client, token: str, query: str = "") -> Reply:
    return client.get(f"/auth/tokens{query}", headers={"X-Subject-Token": token})


class World:
    """Makes things as the administrator."""

    def __init__(self, admin: Client) -> None:
        self.admin = admin
        reply = admin.get("/roles")
        assert reply.status == 200, reply.content
        self.roles = {role["name"]: role["id"] for role in reply.body["roles"]}

    def make(self, path: str, root: str, **body: Any) -> dict[str, Any]:
        reply = self.admin.post(path, {root: body})
        assert reply.status == 201, reply.content
        made: dict[str, Any] = reply.body[root]
        return made

    def user(self, name: str = "ann", password: str = "secret", **more: Any) -> dict[str, Any]:
        return self.make("/users", "user", name=name, password=password, **{"domain_id": "default", **more})

    def project(self, name: str = "lab", **more: Any) -> dict[str, Any]:
        return self.make("/projects", "project", name=name, **{"domain_id": "default", **more})

    def group(self, name: str = "team", **more: Any) -> dict[str, Any]:
        return self.make("/groups", "group", name=name, **{"domain_id": "default", **more})

    def domain(self, name: str = "far", **more: Any) -> dict[str, Any]:
        return self.make("/domains", "domain", name=name, **more)

    def role(self, name: str = "painter", **more: Any) -> dict[str, Any]:
        return self.make("/roles", "role", name=name, **more)

    def grant(self, path: str) -> None:
        reply = self.admin.put(path)
        assert reply.status == 204, reply.content

    def member(self, name: str = "ann", role: str = "member") -> tuple[dict[str, Any], dict[str, Any]]:
        """A user with a role on a project of their own."""
        user, project = self.user(name), self.project(f"{name}-lab")
        self.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{self.roles[role]}")
        return user, project

    def token(self, user: dict[str, Any], scope: Any = None, password: str = "secret") -> str:
        return token_of(log_in(self.admin, by_password(user["id"], password), scope))

    def project_token(self, user: dict[str, Any], project: dict[str, Any]) -> str:
        return self.token(user, {"project": {"id": project["id"]}})


@pytest.fixture
def world(admin: Client) -> World:
    return World(admin)
