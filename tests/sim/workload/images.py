"""What tenants do with images: bytes come in by `live`, from the web, from another image, and go out again."""

from typing import Any

from tests.sim.ground import TENANTS
from tests.sim.live import Upload
from tests.sim.paths import IMAGE
from tests.sim.wire import Reply
from tests.sim.workload.asking import Known
from tests.sim.workload.walker import Walker

PATCH = "application/openstack-images-v2.1-json-patch"


def content_of(image_id: str) -> bytes:
    """What its owner puts into an image."""
    return f"the disk of {image_id}\n".encode() * 40


class ImageActions(Walker):
    def make_image(self, who: str, known: Known) -> None:
        id = self._queued(who, known)
        if id is not None:
            self._send(who, id, store=self.rng.choice(("", "", "file", "second")))

    def make_image_by_import(self, who: str, known: Known) -> None:
        """All ways of an import but that from a file of the client's own disk."""
        id = self._queued(who, known)
        if id is None:
            return
        way = self.rng.choice(("glance-direct", "glance-direct", "web-download", "glance-download", "location"))
        if way == "location":
            body = {"url": f"http://web.example/{id}", "validation_data": {}}
            self.ask(who, "POST", f"{IMAGE}/images/{id}/locations", body)
            return
        method: dict[str, Any] = {"name": way}
        if way == "glance-direct":
            self._send(who, id, kind="stage")
        elif way == "web-download":
            method["uri"] = f"http://web.example/{id}"
        else:
            method |= {"glance_image_id": self._any_image(known), "glance_region": "RegionOne"}
        stores = self.rng.choice(({}, {"stores": ["second", "file"]}, {"all_stores": True}))
        certain = {"all_stores_must_succeed": self.rng.random() < 0.5} if stores else {}
        self.ask(who, "POST", f"{IMAGE}/images/{id}/import", {"method": method, **stores, **certain})

    def copy_image(self, who: str, known: Known) -> None:
        id = self._one(known.images)
        if id is not None:
            body = {"method": {"name": "copy-image"}, "stores": ["second"]}
            self.ask(self.rng.choice((who, "admin")), "POST", f"{IMAGE}/images/{id}/import", body)

    def drop_a_copy(self, who: str, known: Known) -> None:
        """From one store; the last one stays."""
        id = self._copied() if self.is_hurried else self._one(known.images)
        if id is not None:
            store = self.rng.choice(("second", "second", "file"))
            self.ask(self.rng.choice((who, "admin")), "DELETE", f"{IMAGE}/stores/{store}/{id}")

    def _copied(self) -> str | None:
        """An image in more than one store, if somebody made one."""
        reply = self.ask("admin", "GET", f"{IMAGE}/images?limit=200")
        shown = reply.body["images"] if reply.status == 200 else []
        return self._one([one["id"] for one in shown if "," in one.get("stores", "")])

    def read_image(self, who: str, known: Known) -> None:
        reply = self.world.download(who, self._any_image(known))
        self._look_at(reply)

    def change_image(self, who: str, known: Known) -> None:
        id = self._one(known.images)
        if id is not None:
            change = self.rng.choice((
                {"op": "replace", "path": "/min_ram", "value": self.rng.choice((0, 64))},
                {"op": "add", "path": "/colour", "value": self._name("colour")},
            ))  # fmt: skip
            self.ask(who, "PATCH", f"{IMAGE}/images/{id}", [change], Content_Type=PATCH)

    def share_image(self, who: str, known: Known) -> None:
        """The other side is told, and says yes or no."""
        id, other = self._one(known.images), self.rng.choice(TENANTS)
        project = self.world.ground.projects[other]
        if id is None or other == who:
            return
        made = self.ask(who, "POST", f"{IMAGE}/images/{id}/members", {"member": project})
        if made.status == 200:
            self.atlas.add(who, f"{IMAGE}/images/{id}/members/{project}")
            answer = {"status": self.rng.choice(("accepted", "rejected"))}
            self.ask(other, "PUT", f"{IMAGE}/images/{id}/members/{project}", answer)
            self.follow(f"{IMAGE}/images/{id}/members/{project}")

    def drop_image(self, who: str, known: Known) -> None:
        self._drop(who, f"{IMAGE}/images", known.images)

    def rename_image(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{IMAGE}/images", "image", self._one(known.images))

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _queued(self, who: str, known: Known) -> str | None:
        body = {"name": self._name("image"), "disk_format": "raw", "container_format": "bare"}
        reply = self.ask(who, "POST", f"{IMAGE}/images", body)
        if reply.status != 201:
            return None
        known.images.append(reply.body["id"])
        return str(reply.body["id"])

    def _send(self, who: str, id: str, *, kind: str = "file", store: str = "") -> Reply:
        rng = self.rng
        what = Upload(id, content_of(id), kind, store, rng.choice((1, 2, 4)), breaks_off=rng.random() < 0.1)
        reply = self.world.upload(who, what)
        self._look_at(reply)
        return reply

    def _look_at(self, reply: Reply) -> None:
        kind = f"{reply.status // 100}xx"
        self.answers[kind] = self.answers.get(kind, 0) + 1
        if reply.status == 500:
            self.world.violate("no answer is 500", repr(reply.content[:500]))

    def _any_image(self, known: Known) -> str:
        return self.rng.choice([self.image, *known.images])
