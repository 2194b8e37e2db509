"""The network API as a member of project demo sees it, with an external network made by the administrator."""

from dataclasses import dataclass
from typing import Any

import pytest

from pilvi.kernel import clock, hosts, ids
from tests.contract.client import Client, Reply


@dataclass(frozen=True)
class Net:
    """Makes things and insists that it worked."""

    client: Client

    def as_(self, who: str) -> "Net":
        return Net(self.client.as_(who))

    @property
    def project_id(self) -> str:
        id: str = self.client.facts["demo"]
        return id

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return self.client.request(method, path, body, **more)

    def make(self, path: str, **values: Any) -> dict[str, Any]:
        root = ROOTS[path]
        reply = self.client.post(f"/{path}", {root: values})
        assert reply.status == 201, reply.content
        made: dict[str, Any] = reply.body[root]
        return made

    def show(self, path: str, id: str) -> dict[str, Any]:
        reply = self.client.get(f"/{path}/{id}")
        assert reply.status == 200, reply.content
        shown: dict[str, Any] = reply.body[ROOTS[path]]
        return shown

    def list(self, path: str, query: str = "") -> list[dict[str, Any]]:
        reply = self.client.get(f"/{path}?{query}")
        assert reply.status == 200, reply.content
        listed: list[dict[str, Any]] = reply.body[path.replace("-", "_")]
        return listed

    def put(self, path: str, id: str, **values: Any) -> dict[str, Any]:
        reply = self.client.put(f"/{path}/{id}", {ROOTS[path]: values})
        assert reply.status == 200, reply.content
        changed: dict[str, Any] = reply.body[ROOTS[path]]
        return changed

    def drop(self, path: str, id: str) -> None:
        reply = self.client.delete(f"/{path}/{id}")
        assert reply.status == 204, reply.content

    def network_with_subnet(self, cidr: str = "10.0.0.0/24", **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        network = self.make("networks", name="net")
        version = 6 if ":" in cidr else 4
        return network, self.make("subnets", network_id=network["id"], cidr=cidr, ip_version=version, **values)

    def interface(self, router: dict[str, Any], subnet: dict[str, Any]) -> dict[str, Any]:
        reply = self.client.put(f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        assert reply.status == 200, reply.content
        made: dict[str, Any] = reply.body
        return made


ROOTS = {
    "networks": "network", "subnets": "subnet", "ports": "port", "routers": "router", "floatingips": "floatingip",
    "security-groups": "security_group", "security-group-rules": "security_group_rule", "subnetpools": "subnetpool",
    "address-scopes": "address_scope", "rbac-policies": "rbac_policy",
}  # fmt: skip


def refused(reply: Reply, status: int, type: str) -> str:
    """The refusal has this status and the type that clients turn into an exception; returns its message."""
    assert reply.status == status, (reply.status, reply.content)
    error = reply.body["NeutronError"]
    assert error["type"] == type, error
    message: str = error["message"]
    return message


@pytest.fixture
def net(cloud: Client) -> Net:
    return Net(cloud.at("/network/v2.0"))


@pytest.fixture
def admin(net: Net) -> Net:
    return net.as_("admin")


@pytest.fixture
def stranger(net: Net) -> Net:
    return net.as_("stranger")


@pytest.fixture
def public(admin: Net) -> dict[str, Any]:
    """An external network with one subnet."""
    network = admin.make(
        "networks", name="public",
        **{"router:external": True, "provider:network_type": "flat", "provider:physical_network": "external"},
    )  # fmt: skip
    pool = [{"start": "203.0.113.10", "end": "203.0.113.20"}]
    admin.make(
        "subnets", network_id=network["id"], cidr="203.0.113.0/24", ip_version=4, enable_dhcp=False,
        allocation_pools=pool,
    )  # fmt: skip
    return network


@pytest.fixture
def node(cloud: Client) -> str:
    """A host that is up."""
    host = hosts.Host("node", ids.uuid(), 1, 0, clock.now(), clock.timestamp(), {})
    cloud.database.write(lambda tx: hosts.add(tx, host))
    return "node"
