"""What tenants do with servers and keys."""

import base64
from typing import Any

from tests.sim.paths import COMPUTE
from tests.sim.workload.asking import Asking, Known

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone"
FLAVORS = {"1": (1, 192, 1), "2": (2, 1024, 5), "3": (4, 3000, 20)}


class ComputeActions(Asking):
    def boot(self, who: str, known: Known) -> None:
        rng = self.rng
        nics: list[dict[str, str]] = []
        for _ in range(rng.choice((1, 1, 1, 2))):
            port, net = self._one(known.ports), self._one(known.networks)
            if port is not None and rng.random() < 0.3:
                nics.append({"port": port})
            elif net is not None:
                nics.append({"uuid": net})
        server: dict[str, Any] = {
            "name": self._name("vm"), "flavorRef": rng.choice(list(FLAVORS)), "networks": nics,
            "imageRef": rng.choice(known.images) if known.images and rng.random() < 0.25 else self.image,
        }  # fmt: skip
        if not nics and not known.networks:
            server["networks"] = "none"
        if rng.random() < 0.15:
            server |= {"min_count": 1, "max_count": 3}
        if known.keys and rng.random() < 0.3:
            server["key_name"] = rng.choice(known.keys)
        if rng.random() < 0.2:
            server["user_data"] = base64.b64encode(b"#!/bin/sh").decode()
        reply = self.ask(who, "POST", f"{COMPUTE}/servers", {"server": server}, OpenStack_API_Version="compute 2.37")
        if reply.status == 202:
            known.servers.append(reply.body["server"]["id"])

    def boot_and_regret(self, who: str, known: Known) -> None:
        """Deleted before it is there, as impatient people and failing scripts do."""
        self.boot(who, known)
        newest = known.servers[-1:]
        self.world.scheduler.sleep(self.rng.choice((0.0, 0.02, 0.5)))
        for id in newest:
            self.ask(who, "DELETE", f"{COMPUTE}/servers/{id}")

    def act(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is None:
            return
        body: dict[str, Any] = self.rng.choice((
            {"os-start": None}, {"os-stop": None}, {"pause": None}, {"unpause": None}, {"lock": None}, {"unlock": None},
            {"reboot": {"type": "SOFT"}}, {"reboot": {"type": "HARD"}}, {"os-stop": None}, {"os-start": None},
            {"addSecurityGroup": {"name": self._one(known.groups) or "default"}},
            {"removeSecurityGroup": {"name": self._one(known.groups) or "default"}},
        ))  # fmt: skip
        self.ask(who, "POST", f"{COMPUTE}/servers/{id}/action", body)

    def rest_for_a_while(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is not None:
            for action in self.rng.choice((("pause", "unpause"), ("os-stop", "os-start"))):
                self.ask(who, "POST", f"{COMPUTE}/servers/{id}/action", {action: None})
                self.world.scheduler.sleep(2.0)

    def make_image_of_server(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is not None:
            body = {"createImage": {"name": self._name("image")}}
            newest = {"OpenStack_API_Version": "compute 2.45"}
            reply = self.ask(who, "POST", f"{COMPUTE}/servers/{id}/action", body, **newest)
            if reply.status == 202:
                known.images.append(reply.body["image_id"])

    def delete_server(self, who: str, known: Known) -> None:
        self._drop(who, f"{COMPUTE}/servers", known.servers)

    def find_servers(self, who: str, known: Known) -> None:
        """Also those whose answer was lost."""
        reply = self.ask(who, "GET", f"{COMPUTE}/servers/detail")
        if reply.status == 200:
            known.servers[:] = [one["id"] for one in reply.body["servers"]]
            for one in reply.body["servers"]:
                if one["status"] == "ERROR" and "fault" not in one:
                    self.world.violate("an error says why", f"server {one['id']}")

    def rename_server(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{COMPUTE}/servers", "server", self._one(known.servers))

    def make_key(self, who: str, known: Known) -> None:
        name = self._name("key")
        if self.ask(who, "POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": name, "public_key": KEY}}).status < 300:
            known.keys.append(name)
            self.ask(who, "GET", f"{COMPUTE}/os-keypairs/{name}")

    def drop_key(self, who: str, known: Known) -> None:
        self._drop(who, f"{COMPUTE}/os-keypairs", known.keys)

    def tag_server(self, who: str, known: Known) -> None:
        id = self._one(known.servers)
        if id is not None:
            metadata = {"metadata": {f"k{self.rng.randrange(3)}": self._name("v")}}
            self.ask(who, self.rng.choice(("PUT", "POST")), f"{COMPUTE}/servers/{id}/metadata", metadata)
