"""A client of placement as an administrator, and quick ways to make what tests need."""

from typing import Any

import pytest

from pilvi.kernel import ids
from tests.contract.client import Client, Reply


class Place:
    """Speaks to placement at the newest microversion unless told otherwise."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def ask(self, method: str, path: str, body: Any = None, *, at: str = "1.39") -> Reply:
        headers = {"Content-Type": "application/json"} if method in ("PUT", "POST") else {}
        return self.client.request(method, path, body, microversion=at, headers=headers)

    def get(self, path: str, *, at: str = "1.39") -> Reply:
        return self.ask("GET", path, at=at)

    def provider(self, name: str, parent: str | None = None, **inventories: int) -> str:
        body: dict[str, Any] = {"name": name}
        if parent is not None:
            body["parent_provider_uuid"] = parent
        made = self.ask("POST", "/resource_providers", body)
        assert made.status == 200, made.content
        uuid: str = made.body["uuid"]
        if inventories:
            wanted = {name: {"total": total} for name, total in inventories.items()}
            document = {"resource_provider_generation": 0, "inventories": wanted}
            assert self.ask("PUT", f"/resource_providers/{uuid}/inventories", document).status == 200
        return uuid

    def generation(self, uuid: str) -> int:
        found: int = self.get(f"/resource_providers/{uuid}").body["generation"]
        return found

    def traits(self, uuid: str, *names: str) -> None:
        for name in names:
            if name.startswith("CUSTOM_"):
                self.ask("PUT", f"/traits/{name}")
        document = {"resource_provider_generation": self.generation(uuid), "traits": list(names)}
        assert self.ask("PUT", f"/resource_providers/{uuid}/traits", document).status == 200

    def aggregates(self, uuid: str, *uuids: str) -> None:
        document = {"resource_provider_generation": self.generation(uuid), "aggregates": list(uuids)}
        assert self.ask("PUT", f"/resource_providers/{uuid}/aggregates", document).status == 200

    def allocate(
        self, consumer: str, amounts: dict[str, dict[str, int]], generation: int | None = None, **more: Any
    ) -> Reply:
        document = {
            "allocations": {uuid: {"resources": resources} for uuid, resources in amounts.items()},
            "project_id": "p", "user_id": "u", "consumer_type": "INSTANCE", "consumer_generation": generation, **more,
        }  # fmt: skip
        return self.ask("PUT", f"/allocations/{consumer}", document)

    def candidates(self, query: str, *, at: str = "1.39") -> Any:
        reply = self.get(f"/allocation_candidates?{query}", at=at)
        assert reply.status == 200, reply.content
        return reply.body


@pytest.fixture
def place(cloud: Client) -> Place:
    return Place(cloud.at("/placement").as_admin())


@pytest.fixture
def consumer() -> str:
    return ids.uuid()
