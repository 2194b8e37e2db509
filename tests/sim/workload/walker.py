"""People who walk along the product's own table of routes: one reads whatever can be read, one writes what
`wishes.py` lists, one deletes what those made. So a route that nobody calls can be named."""

import random
from typing import Any

from pilvi.kernel.routing import Route
from tests.sim.atlas import fits
from tests.sim.ground import ROBOT, TENANTS
from tests.sim.paths import COMPUTE, IDENTITY, IMAGE, NETWORK, PLACEMENT
from tests.sim.wishes import ADMIN, CHANGES, MAKER, MAKES, QUERIES, TENANT, WORDS, Wish
from tests.sim.workload.asking import Asking

READ_AT_ONCE = 3
NOT_READ = ("/agent/", "/identity/v3/auth/OS-FEDERATION")
"""For others: agents; people with a browser and an identity provider."""
READERS = {f"{IMAGE}/images/{{image_id}}/locations": ROBOT}
ABOUT_TOKENS = (f"{IDENTITY}/auth/tokens",)
NOT_DELETED = (
    f"{COMPUTE}/servers/{{server_id}}", f"{IDENTITY}/auth/tokens",
    f"{COMPUTE}/os-keypairs/{{name}}", f"{PLACEMENT}/allocations/{{consumer_uuid}}",
    *(f"{NETWORK}/{kind}/{{id}}" for kind in (
        "networks", "subnets", "ports", "routers", "floatingips", "security-groups", "security-group-rules")),
)  # fmt: skip
"""What tenants made and delete themselves, in an order that works."""


TRIES = 6
"""So many cards are drawn until one leads somewhere."""


class Deck:
    """Cards in an order of chance, each once before any comes twice. Neighbouring seeds begin at different places, so
    together they come through."""

    def __init__(self, cards: list[Any], seed: int, share: int) -> None:
        self.cards = list(cards)
        random.Random(len(cards)).shuffle(self.cards)
        self._at = seed * share

    def deal(self) -> Any:
        self._at += 1
        return self.cards[self._at % len(self.cards)]


class Walker(Asking):
    def prepare(self) -> None:
        routes = self.world.ground.edge.services
        every = [(service.prefix + route.path, route) for service in routes for route in service.routes]
        every = [one for one in every if one[1].auth == "token" or one[1].method in ("GET", "HEAD")]
        seed = self.world.seed
        self.reads = Deck(
            [one for one in every if one[1].method in ("GET", "HEAD") and not one[0].startswith(NOT_READ)], seed, 40
        )
        deleted = [one for one in every if one[1].method == "DELETE" and one[0] not in NOT_DELETED]
        self.deletions = Deck(deleted, seed, 8)
        self.writes = Deck([*MAKES, *CHANGES], seed, 20)

    # -- walks -----------------------------------------------------------------------------------------------------

    def read_something(self) -> None:
        for _ in range(READ_AT_ONCE):
            self._read(*self.reads.deal())

    def _read(self, template: str, route: Route) -> None:
        found = self._place(template) or self._place_in_list(template)
        if found is not None:
            path, maker = found
            if template in QUERIES:
                path += "?" + str(self.words.filled(QUERIES[template], ADMIN))
            who = READERS.get(template) or (maker if maker and self.rng.random() < 0.5 else ADMIN)
            subject = {"X_Subject_Token": self.world.ground.tokens[ADMIN]} if template in ABOUT_TOKENS else {}
            self.ask(who, route.method, path, **self._version(template, route), **subject)

    def _place(self, template: str) -> tuple[str, str] | None:
        """A path for a template that should lead somewhere."""
        if template in WORDS:
            words = iter(WORDS[template])
            return "/".join(next(words) if part.startswith("{") else part for part in template.split("/")), ""
        return self.atlas.find(template, self.rng)

    def _place_in_list(self, template: str) -> tuple[str, str] | None:
        """Of what nobody made by a request a list tells, which is read first."""
        above = template.rpartition("/{")[0]
        found = self._place(above) if above else None
        if found is None:
            return None
        path, who = found
        service = path.split("/")[1]
        version = (
            {"OpenStack_API_Version": self.world.ground.newest[service]} if service in self.world.ground.newest else {}
        )
        self.atlas.learn_entries(path, self.ask(who or ADMIN, "GET", path, **version))
        return self._place(template)

    def _version(self, template: str, route: Route) -> dict[str, str]:
        """The newest microversion that has this route."""
        service = next(one for one in self.world.ground.edge.services if one.name == route.service)
        if service.versions is None:
            return {}
        newest = min(route.until, service.versions.maximum)
        return {"OpenStack_API_Version": service.versions.echo(newest)["OpenStack-API-Version"]}

    def follow(self, path: str) -> None:
        """What has just been made is looked at, and may go again at once."""
        parts = tuple(path.partition("?")[0].split("/"))
        for deck, share, do in ((self.reads, 0.7, self._read_at), (self.deletions, 0.3, self._delete_at)):
            found = [
                (template, route) for template, route in deck.cards
                if "{" in template and template.count("/") == len(parts) - 1 and fits(template.split("/"), parts)
            ]  # fmt: skip
            is_due = bool(found) and self.rng.random() < share
            if is_due or (found and share > 0.5 and self.is_hurried):
                do(path, *self.rng.choice(found))

    def _read_at(self, path: str, template: str, route: Route) -> None:
        who = READERS.get(template) or self._maker(path)
        self.ask(who, route.method, path, **self._version(template, route))

    def _delete_at(self, path: str, template: str, route: Route) -> None:
        self.ask(self._maker(path), "DELETE", path, **self._version(template, route))

    def _maker(self, path: str) -> str:
        """Whoever made it, mostly; else the operator."""
        place = self.atlas.places.get(tuple(path.split("/")))
        return place.who if place is not None and self.rng.random() < 0.7 else ADMIN

    def write_something(self) -> None:
        for _ in range(TRIES):
            if self._write(self.writes.deal()):
                return

    def _write(self, wish: Wish) -> bool:
        """Whether there was what it is about."""
        who = self.rng.choice(TENANTS) if wish.who == TENANT else ADMIN
        path: str | None
        if wish in CHANGES:
            found = self.atlas.find(wish.path, self.rng, own=True)
            if found is None:
                return False
            path, maker = found
            who = maker if wish.who == MAKER else who
        else:
            path = self.words.filled(wish.path, who)
        body = self.words.filled(wish.body, who, last=(path or "").rpartition("/")[2])
        if path is None or (wish.body is not None and body is None):
            return False
        service = path.split("/")[1]
        headers = {name.replace("-", "_"): value for name, value in wish.headers}
        if not headers and service in self.world.ground.newest:
            headers = {"OpenStack_API_Version": self.world.ground.newest[service]}
        self.ask(who, wish.method, path, body, **headers)
        for path in self.atlas.news[:2]:
            self.follow(path)
        return True

    def delete_something(self) -> None:
        for _ in range(TRIES):
            template, route = self.deletions.deal()
            found = self.atlas.find(template, self.rng, own=True)
            if found is not None:
                path, maker = found
                who = maker if maker and self.rng.random() < 0.7 else ADMIN
                self.ask(who, "DELETE", path, **self._version(template, route))
                return

    def _project(self) -> str:
        return self.world.ground.projects[self.rng.choice(TENANTS)]
