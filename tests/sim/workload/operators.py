"""What operators do: quotas, services, consoles, and the books of placement, which they may keep with tools of their
own."""

from typing import Any

from tests.sim.ground import TENANTS
from tests.sim.invariants import TOOL
from tests.sim.paths import COMPUTE, IDENTITY, IMAGE, NETWORK, PLACEMENT
from tests.sim.wire import Lost, Reply
from tests.sim.workload.walker import Walker


class OperatorActions(Walker):
    def set_compute_quota(self) -> None:
        values = self.rng.choice(({"instances": self.rng.randrange(1, 9)}, {"cores": self.rng.randrange(4, 20)}))
        self.ask("admin", "PUT", f"{COMPUTE}/os-quota-sets/{self._project()}", {"quota_set": values})

    def set_network_quota(self) -> None:
        values = {"port": self.rng.randrange(2, 16), "floatingip": self.rng.randrange(0, 5)}
        self.ask("admin", "PUT", f"{NETWORK}/quotas/{self._project()}", {"quota": values})

    def list_everything(self) -> None:
        for path in (f"{COMPUTE}/servers/detail?all_tenants=1", f"{COMPUTE}/os-hypervisors/detail", f"{NETWORK}/ports",
                     f"{COMPUTE}/os-services", f"{NETWORK}/routers", f"{IMAGE}/images"):  # fmt: skip
            self.ask("admin", "GET", path)

    def replay_something(self) -> None:
        self.once.replay(self._ask)

    # -- servers ---------------------------------------------------------------------------------------------------

    def _server(self) -> str | None:
        return self._one(self.known[self.rng.choice(TENANTS)].servers)

    def reset(self) -> None:
        id = self._server()
        if id is not None:
            body = {"os-resetState": {"state": self.rng.choice(("active", "error"))}}
            self.ask("admin", "POST", f"{COMPUTE}/servers/{id}/action", body)

    def look_at_a_screen(self) -> None:
        id, way = self._server(), self.rng.randrange(3)
        if id is None:
            return
        if way == 0:
            self.ask("admin", "POST", f"{COMPUTE}/servers/{id}/action", {"os-getConsoleOutput": {"length": 5}})
        elif way == 1:
            self.ask("admin", "POST", f"{COMPUTE}/servers/{id}/action", {"os-getVNCConsole": {"type": "novnc"}})
        else:
            newest = {"OpenStack_API_Version": "compute 2.31"}
            body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
            reply = self.ask("admin", "POST", f"{COMPUTE}/servers/{id}/remote-consoles", body, **newest)
            if reply.status == 200:
                token = reply.body["remote_console"]["url"].rpartition("token=")[2].rpartition("%3D")[2]
                self.ask("admin", "GET", f"{COMPUTE}/os-console-auth-tokens/{token}", **newest)

    def force_delete(self) -> None:
        id = self._server()
        if id is not None and self.rng.random() < 0.5:
            self.ask("admin", "POST", f"{COMPUTE}/servers/{id}/action", {"forceDelete": None})

    def pause_a_host(self) -> None:
        """Nothing new goes there for a while; all ways to say so."""
        host = self.rng.choice(list(self.world.hosts))
        named: dict[str, Any] = {"host": host, "binary": "nova-compute"}
        old = {"OpenStack_API_Version": "compute 2.52"}
        way = self.rng.choice(("disable", "disable-log-reason", "force-down", "new"))
        path = f"{COMPUTE}/os-services"
        if way == "new":
            self._set_service(host, "disabled")
        elif way == "force-down":
            self.ask("admin", "PUT", f"{path}/force-down", {**named, "forced_down": True}, **old)
        else:
            reason = {"disabled_reason": "a look"} if way == "disable-log-reason" else {}
            self.ask("admin", "PUT", f"{path}/{way}", named | reason, **old)
        self.world.scheduler.sleep(3.0)
        if way == "force-down":
            self.ask("admin", "PUT", f"{path}/force-down", {**named, "forced_down": False}, **old)
        elif way == "new":
            self._set_service(host, "enabled")
        else:
            self.ask("admin", "PUT", f"{path}/enable", named, **old)

    def _set_service(self, host: str, status: str) -> None:
        version = {"OpenStack_API_Version": "compute 2.53"}
        reply = self.ask("admin", "GET", f"{COMPUTE}/os-services?host={host}", **version)
        for one in reply.body["services"] if reply.status == 200 else []:
            self.ask("admin", "PUT", f"{COMPUTE}/os-services/{one['id']}", {"status": status}, **version)

    def limit_something(self) -> None:
        """A resource that a service counts, and how many a project may have."""
        service, project = self.atlas.some("services", self.rng, own=False), self.atlas.some("projects", self.rng)
        what = {"service_id": service, "resource_name": self._name("things")}
        made = self.ask("admin", "POST", f"{IDENTITY}/registered_limits", {
            "registered_limits": [{**what, "default_limit": 5}]})  # fmt: skip
        if made.status == 201 and project:
            limit = {**what, "project_id": project, "resource_limit": 4}
            self.ask("admin", "POST", f"{IDENTITY}/limits", {"limits": [limit]})

    def use_the_cache(self) -> None:
        """Have an image copied to where it is served from; see; and let it go."""
        image, path = self.rng.choice([self.image, *self.known[self.rng.choice(TENANTS)].images]), f"{IMAGE}/cache"
        self.ask("admin", "PUT", f"{path}/{image}")
        self.world.scheduler.sleep(self.rng.choice((0.0, 5.0)))
        self.ask("admin", "GET", f"{path}/nodes/{image}")
        way = self.rng.randrange(3)
        if way < 2:
            self.ask("admin", "DELETE", f"{path}/{image}" if way else path)

    def share_a_network(self) -> None:
        """With one project, then with another."""
        network = self.atlas.some("networks", self.rng)
        if network:
            policy = {"object_type": "network", "object_id": network, "action": "access_as_shared"}
            made = self.ask("admin", "POST", f"{NETWORK}/rbac-policies", {
                "rbac_policy": {**policy, "target_tenant": self._project()}})  # fmt: skip
            if made.status == 201:
                path = f"{NETWORK}/rbac-policies/{made.body['rbac_policy']['id']}"
                self.ask("admin", "PUT", path, {"rbac_policy": {"target_tenant": self._project()}})

    def share_a_flavor(self) -> None:
        flavor, project = self.atlas.some("compute:flavors", self.rng), {"tenant": self._project()}
        if flavor:
            path = f"{COMPUTE}/flavors/{flavor}"
            self.ask("admin", "POST", f"{path}/action", {"addTenantAccess": project})
            self.ask("admin", "GET", f"{path}/os-flavor-access")
            self.ask("admin", "POST", f"{path}/action", {"removeTenantAccess": project})

    # -- placement -------------------------------------------------------------------------------------------------

    def _placement(self, method: str, path: str, body: Any = None, who: str = "admin") -> Reply:
        version = self.world.ground.newest["placement"]
        return self.ask(who, method, f"{PLACEMENT}{path}", body, OpenStack_API_Version=version)

    def _generation(self, provider: str) -> int | None:
        reply = self._placement("GET", f"/resource_providers/{provider}")
        return int(reply.body["generation"]) if reply.status == 200 else None

    def keep_books(self) -> None:
        """A provider of the operator's own: what it has, where it belongs, what it can do."""
        provider = self.atlas.some("resource_providers", self.rng)
        generation = self._generation(provider) if provider else None
        if generation is None:
            return
        own, at = {"resource_provider_generation": generation}, f"/resource_providers/{provider}"
        stock = {"total": self.rng.randrange(8, 64), "max_unit": 8}
        trait = self.atlas.some("traits", self.rng)
        way = self.rng.randrange(7)
        if way == 0:
            self._placement("PUT", f"{at}/inventories", {**own, "inventories": {"VCPU": stock, "DISK_GB": stock}})
            self.follow(f"{PLACEMENT}{at}/inventories/VCPU")
        elif way == 1:
            kind = self.rng.choice(("MEMORY_MB", "VCPU"))
            if self._placement("POST", f"{at}/inventories", {"resource_class": kind, **stock}).status == 201:
                self.atlas.add("admin", f"{PLACEMENT}{at}/inventories/{kind}")
        elif way == 2:
            made = self._placement("PUT", f"{at}/inventories", {**own, "inventories": {"VCPU": stock}})
            if made.status == 200:
                newer = {"resource_provider_generation": made.body["resource_provider_generation"]}
                self._placement("PUT", f"{at}/inventories/VCPU", {**newer, **stock, "total": 70})
                self.follow(f"{PLACEMENT}{at}/inventories/VCPU")
        elif way == 3:
            self._placement("PUT", f"{at}/traits", {**own, "traits": [trait] if trait else []})
        elif way == 4:
            self._placement("PUT", f"{at}/aggregates", {**own, "aggregates": [self.words.uuid()]})
        elif way == 5:
            stocks = {provider: {**own, "inventories": {"VCPU": stock}}}
            self._placement("POST", "/reshaper", {"inventories": stocks, "allocations": {}}, "robot")
        else:
            self._hold(provider, 2)

    def take_from_a_host(self) -> None:
        """Somebody beside the servers wants a part of a host, and gives it back."""
        reply = self._placement("GET", f"/resource_providers?name={self.rng.choice(list(self.world.hosts))}")
        for one in reply.body["resource_providers"] if reply.status == 200 else []:
            consumer = self._hold(one["uuid"], self.rng.choice((1, 2)))
            if consumer is not None:
                self.world.scheduler.sleep(self.rng.choice((1.0, 10.0)))
                self._give_back(consumer)

    def _hold(self, provider: str, vcpus: int) -> str | None:
        consumer = TOOL + self.words.uuid()[len(TOOL) :]
        wish = {
            "allocations": {provider: {"resources": {"VCPU": vcpus}}}, "project_id": "tool", "user_id": "tool",
            "consumer_generation": None, "consumer_type": "TOOL",
        }  # fmt: skip
        if self.rng.random() < 0.5:
            reply = self._placement("PUT", f"/allocations/{consumer}", wish)
        else:
            reply = self._placement("POST", "/allocations", {consumer: wish})
        if reply.status != 204:
            return None
        self.atlas.add("admin", f"{PLACEMENT}/allocations/{consumer}")
        return consumer

    def _give_back(self, consumer: str) -> None:
        for _ in range(5):
            try:
                if self._placement("DELETE", f"/allocations/{consumer}").status in (204, 404):
                    return
            except Lost:
                pass

    def give_back_everything(self) -> list[str]:
        """At the end: what the tool still holds anywhere. Returns what was refused."""
        refused = []
        reply = self._placement("GET", "/resource_providers")
        for one in reply.body["resource_providers"]:
            held = self._placement("GET", f"/resource_providers/{one['uuid']}/allocations").body["allocations"]
            for consumer in held:
                if consumer.startswith(TOOL):
                    status = self._placement("DELETE", f"/allocations/{consumer}").status
                    refused += [] if status in (204, 404) else [f"allocations of {consumer}: {status}"]
        return refused
