"""Makes the links of the data plane: bridges, taps, and our ends of the ways into other namespaces."""

import os
from collections.abc import Set

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces, taps
from pilvi.network.drivers.linux.links import Link
from pilvi.network.drivers.linux.spaces import OpenSpace, Spaces
from pilvi.network.drivers.linux.wiring import Space, WantedLink


class Plug:
    """Valid for one turn: it reads the links once and keeps its picture of them up to date."""

    def __init__(self, data_plane: OpenSpace, spaces: Spaces, tap_owner_uid: int) -> None:
        self._space = data_plane
        self._spaces = spaces
        self._tap_owner_uid = tap_owner_uid
        self._present = data_plane.links.links()

    def remove_unwanted(self, wanted: Space) -> int:
        unwanted = [name for name in self._present if names.is_own_link(name) and name not in wanted.links]
        for name in unwanted:
            self._remove(name)
        return len(unwanted)

    def ensure(self, wanted: WantedLink, ends: Set[tuple[str, str]], *, may_raise: bool) -> int:
        """Returns how many changes it took. `ends` are the (namespace, link) that exist in the other namespaces."""
        current = self._present.get(wanted.name)
        changes = 0
        if current is not None and not self._is_right_kind(current, wanted, ends):
            self._remove(wanted.name)
            current = None
        if current is None:
            self._make(wanted)
            current = self._present[wanted.name] = self._space.links.links()[wanted.name]
            changes += 1
        return changes + self._adjust(current, wanted, may_raise=may_raise)

    def _is_right_kind(self, current: Link, wanted: WantedLink, ends: Set[tuple[str, str]]) -> bool:
        if wanted.kind == "tap":
            return current.kind != "bridge"  # Whatever stands in for a tap is as good: a veth in tests.
        if wanted.peer is not None:
            namespace, link, _ = wanted.peer
            return current.kind == "veth" and (namespace, link) in ends
        return current.kind == wanted.kind

    def _make(self, wanted: WantedLink) -> None:
        if wanted.kind == "bridge":
            self._space.links.add_bridge(wanted.name, wanted.mac, wanted.mtu)
        elif wanted.kind == "tap":
            namespaces.inside(self._space.name, lambda: taps.make(wanted.name, self._tap_owner_uid))
        else:
            assert wanted.peer is not None
            self._make_veth(wanted, *wanted.peer)

    def _make_veth(self, wanted: WantedLink, namespace: str, link: str, mac: str) -> None:
        stale = self._spaces.open(namespace).links
        leftover = stale.links().get(link)
        if leftover is not None:  # The other end of something that is not the link we know.
            stale.delete(leftover.index)
        descriptor = os.open(namespaces.path_of(namespace), os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._space.links.add_veth(wanted.name, wanted.mac, wanted.mtu, (link, mac), descriptor)
        finally:
            os.close(descriptor)

    def _adjust(self, current: Link, wanted: WantedLink, *, may_raise: bool) -> int:
        changes = 0
        if wanted.mac and current.mac != wanted.mac:
            self._space.links.change(current.index, mac=wanted.mac)
            changes += 1
        if wanted.master and wanted.master not in self._present:
            raise OSError("The bridge of its network is missing.")
        master = self._present[wanted.master].index if wanted.master else 0
        if current.mtu != wanted.mtu or current.master != master:
            if not wanted.is_up and current.is_up:
                self._space.links.change(current.index, is_up=False)
            self._space.links.change(current.index, mtu=wanted.mtu, master=master)
            changes += 1
        is_up = wanted.is_up and (may_raise or current.is_up)
        if current.is_up != is_up:
            self._space.links.change(current.index, is_up=is_up)
            changes += 1
        if wanted.is_up and not is_up:
            raise OSError("Its rules are not in force, so its link stays down.")
        return changes

    def _remove(self, name: str) -> None:
        self._space.links.delete(self._present.pop(name).index)
