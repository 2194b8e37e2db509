"""The end: everything is deleted, as a careful user would, in an order that works."""

from tests.sim.ground import TENANTS
from tests.sim.paths import COMPUTE, IMAGE, NETWORK
from tests.sim.workload.operators import OperatorActions

ENDINGS = (
    (f"{COMPUTE}/servers", "servers"), (f"{NETWORK}/floatingips", "floatingips"), (f"{NETWORK}/routers", "routers"),
    (f"{IMAGE}/images", "images"),
)  # fmt: skip
LATE_ENDINGS = ((f"{NETWORK}/ports", "ports"), (f"{NETWORK}/networks", "networks"))


class Endings(OperatorActions):
    def delete_everything(self) -> list[str]:
        """As a careful user would, in an order that works; returns what was refused."""
        refused = self.give_back_everything()
        for tenant in TENANTS:
            for path, root in ENDINGS:
                refused += self._delete_all(tenant, path, root)
        return refused

    def _delete_all(self, tenant: str, path: str, root: str) -> list[str]:
        refused, mine = [], self.world.ground.projects[tenant]
        reply = self.ask(tenant, "GET", path)
        if reply.status != 200:
            return [f"{path}: {reply.status} {reply.content[:300]!r}"]
        for one in reply.body[root]:
            if root == "routers":
                self._unplug(tenant, one["id"])
            if root == "ports" and one["device_owner"]:
                continue
            if root == "networks" and one["id"] == self.public_network:
                continue
            if one.get("owner", one.get("project_id", mine)) not in ("", mine):  # Others share it.
                continue
            if root == "servers":
                self.ask(tenant, "POST", f"{path}/{one['id']}/action", {"unlock": None})
            reply = self.ask(tenant, "DELETE", f"{path}/{one['id']}")
            if reply.status not in (204, 404):
                refused.append(f"{path}/{one['id']}: {reply.status} {reply.content[:300]!r}")
        return refused

    def _unplug(self, tenant: str, router: str) -> None:
        ports = self.ask(tenant, "GET", f"{NETWORK}/ports?device_id={router}").body["ports"]
        for port in ports:
            if port["device_owner"] == "network:router_interface":
                body = {"port_id": port["id"]}
                self.ask(tenant, "PUT", f"{NETWORK}/routers/{router}/remove_router_interface", body)
