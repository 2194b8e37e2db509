"""One turn of the host's network: reads what is there, changes what differs, and says for each object how it went.

The order is what makes it safe to stop anywhere: rules come before the links they guard come up, what is revoked goes
before what is granted comes, and nothing is believed that was not read in this turn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import announce, namespaces, revocation, wiring
from pilvi.network.drivers.linux.filter_put import put_filter
from pilvi.network.drivers.linux.links import Address, Link, Route
from pilvi.network.drivers.linux.nft import NftError
from pilvi.network.drivers.linux.plug import Plug
from pilvi.network.drivers.linux.router_rules import compile_router
from pilvi.network.drivers.linux.rules import Rules
from pilvi.network.drivers.linux.spaces import OpenSpace, Spaces
from pilvi.network.drivers.linux.wiring import Owner, Space, WantedRoute
from pilvi.network.drivers.protocol import HostState, Router
from pilvi.network.drivers.vet import Vetted


@dataclass(slots=True)
class Past:
    """What the last complete turn of this process put in force; empty after a start."""

    filtered: HostState | None = None
    routers: dict[str, Router] = field(default_factory=dict)


@dataclass(slots=True)
class Situation:
    """What one namespace holds now."""

    space: OpenSpace
    links: dict[str, Link]
    addresses: set[Address]
    routes: set[Route]


class Turn:
    def __init__(self, tag: str, spaces: Spaces, rules: Rules, shim: str, tap_owner_uid: int, past: Past) -> None:
        self._tag = tag
        self._spaces = spaces
        self._rules = rules
        self._shim = shim
        self._tap_owner_uid = tap_owner_uid
        self._past = past
        self._announcements: list[tuple[str, str, str]] = []
        self.errors: dict[Owner, str] = {}
        self.changes = 0

    def run(self, vetted: Vetted, *, may_remove: bool) -> None:
        self.errors.update(vetted.errors)
        state = vetted.state
        wanted = wiring.plan(state, self._tag)
        self._make_spaces(wanted)
        data_plane = self._spaces.open(wanted.data_plane.name)
        is_guarded = self._filter(data_plane, state)
        if may_remove:
            self._remove_spaces(wanted)
        situations = self._look(wanted)
        plug = Plug(data_plane, self._spaces, self._tap_owner_uid)
        if may_remove:
            self.changes += plug.remove_unwanted(wanted.data_plane)
        ends = {(name, link) for name, one in situations.items() for link in one.links}
        changes_before = self.changes
        for link in wanted.data_plane.links.values():
            with self._blame(link.owner):
                self.changes += plug.ensure(link, ends, may_raise=is_guarded)
        self._routers_rules(state)
        if self.changes != changes_before:
            situations = self._look(wanted)
        if may_remove:
            for name, situation in situations.items():
                self._tighten(wanted.others[name], situation)
        for name, situation in situations.items():
            self._widen(wanted.others[name], situation)
        self._announce()
        self._note_unreachable(state, wanted)

    @contextmanager
    def _blame(self, owner: Owner) -> Iterator[None]:
        """What goes wrong inside is the owner's, and nobody else's."""
        try:
            yield
        except (OSError, namespaces.NoNamespace, NftError) as error:
            self.errors.setdefault(owner, str(error))

    def _make_spaces(self, wanted: wiring.Wiring) -> None:
        self._spaces.record([space.name for space in wanted.spaces()])
        for space in wanted.spaces():
            with self._blame(space.owner):
                self.changes += self._spaces.make(space.name)
                self.changes += namespaces.write_sysctls(space.name, dict(space.sysctls))
        by_br_netfilter = "1" if self._shim == "br_netfilter" else "0"
        bridge = {key: by_br_netfilter if value == "1" else value for key, value in wiring.BR_NETFILTER_SYSCTLS.items()}
        self.changes += namespaces.write_sysctls(wanted.data_plane.name, bridge)

    def _filter(self, data_plane: OpenSpace, state: HostState) -> bool:
        """Puts the rules of all ports in force. False if that failed: then nothing new may come up."""
        try:
            outcome = put_filter(self._rules, data_plane, state, self._shim)
            self.errors.update(outcome.errors)
            if outcome.is_changed:
                self._cut_revoked(data_plane, state, is_known=outcome.replaced is not None)
                self._rules.settle(data_plane, outcome.ruleset)
                self.changes += 1
        except (OSError, NftError) as error:
            self.errors["host", ""] = f"The rules of the ports cannot be put in force: {error}"
            return False
        self._past.filtered = state
        return True

    def _cut_revoked(self, data_plane: OpenSpace, state: HostState, *, is_known: bool) -> None:
        old = self._past.filtered if is_known else None
        meant = revocation.everything if old is None else revocation.revoked(old, state)
        if meant is not None:
            data_plane.connections.cut(meant)

    def _remove_spaces(self, wanted: wiring.Wiring) -> None:
        keep = {space.name for space in wanted.spaces()}
        for name in sorted(self._spaces.present() - keep):
            self._rules.forget(name)
            self._spaces.remove(name)
            self.changes += 1

    def _look(self, wanted: wiring.Wiring) -> dict[str, Situation]:
        found = {}
        for space in wanted.others.values():
            with self._blame(space.owner):
                found[space.name] = self._situation(space.name)
        return found

    def _situation(self, name: str) -> Situation:
        space = self._spaces.open(name)
        links = space.links.links()
        return Situation(space, links, space.links.addresses(links), space.links.routes(links))

    def _routers_rules(self, state: HostState) -> None:
        for router in state.routers:
            with self._blame(("router", router.id)):
                space = self._spaces.open(names.router_namespace(self._tag, router.id))
                ruleset = compile_router(router)
                if not self._rules.is_settled(space, ruleset):
                    replaced = self._rules.put(space, ruleset)
                    old = self._past.routers.get(router.id) if replaced is not None else None
                    meant = revocation.untranslated(old, router) if old is not None else revocation.everything
                    if meant is not None:
                        space.connections.cut(meant)
                    self._rules.settle(space, ruleset)
                    self.changes += 1
                self._past.routers[router.id] = router
        wanted = {router.id for router in state.routers}
        for gone in self._past.routers.keys() - wanted:
            del self._past.routers[gone]

    def _tighten(self, wanted: Space, now: Situation) -> None:
        with self._blame(wanted.owner):
            for name in [name for name in now.links if names.is_own_link(name) and name not in wanted.links]:
                now.space.links.delete(now.links.pop(name).index)
                self.changes += 1
            keep = {one.route for one in wanted.routes}
            for route in {one for one in now.routes if one.link in wanted.links} - keep:
                now.space.links.delete_route(route, now.links[route.link].index)
                self.changes += 1
            for address in now.addresses:
                if address.link in wanted.links and tuple(address) not in wanted.addresses:
                    now.space.links.delete_address(now.links[address.link].index, address.interface)
                    self.changes += 1

    def _widen(self, wanted: Space, now: Situation) -> None:
        for link in wanted.links.values():
            with self._blame(link.owner):
                self._ensure_end(link, now)
        for (link_name, interface), owner in wanted.addresses.items():
            with self._blame(owner):
                if Address(link_name, interface) not in now.addresses and link_name in now.links:
                    now.space.links.add_address(now.links[link_name].index, interface)
                    self._announcements.append((wanted.name, link_name, interface))
                    self.changes += 1
        # A route to somewhere may be the way to another route's gateway: those on the link come first.
        for one in sorted(wanted.routes, key=lambda one: bool(one.route.gateway)):
            with self._blame(one.owner):
                self._ensure_route(wanted, one, now)

    def _ensure_end(self, wanted: wiring.WantedLink, now: Situation) -> None:
        link = now.links.get(wanted.name)
        if link is None:
            raise namespaces.NoNamespace(f"Its link {wanted.name} is missing in {now.space.name}.")
        if link.mac != wanted.mac:
            now.space.links.change(link.index, mac=wanted.mac)
            self.changes += 1
        if link.mtu != wanted.mtu or link.is_up != wanted.is_up:
            now.space.links.change(link.index, mtu=wanted.mtu, is_up=wanted.is_up)
            self.changes += 1

    def _ensure_route(self, space: Space, wanted: WantedRoute, now: Situation) -> None:
        link = space.links.get(wanted.route.link)
        if wanted.route not in now.routes and link is not None and link.is_up and link.name in now.links:
            now.space.links.add_route(wanted.route, now.links[link.name].index, on_link=wanted.on_link)
            self.changes += 1

    def _announce(self) -> None:
        for space_name, link_name, interface in self._announcements:
            situation = self._situation(space_name)
            mac, ip = situation.links[link_name].mac, interface.split("/")[0]
            if situation.links[link_name].is_up:
                with self._blame(("announcement", interface)):
                    namespaces.inside(space_name, lambda: announce.announce(link_name, mac, ip))  # noqa: B023

    def _note_unreachable(self, state: HostState, wanted: wiring.Wiring) -> None:
        for router in state.routers:
            space = wanted.others[names.router_namespace(self._tag, router.id)]
            unreachable = wiring.unreachable_nexthops(router, space)
            if unreachable:
                text = f"No interface of the router reaches the next hop {', '.join(unreachable)}."
                self.errors.setdefault(("router", router.id), text)
