"""Keeps the rules of every namespace as wanted, and remembers what is there, also across a restart of the agent."""

from pathlib import Path

from pilvi.network.drivers.linux import nft
from pilvi.network.drivers.linux.ruleset import Ruleset, fingerprint
from pilvi.network.drivers.linux.spaces import OpenSpace, read_json, write_json

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Rules:
    """`host_dir` holds the fingerprints of what was put in place completely, cuts of connections included."""

    def __init__(self, host_dir: Path) -> None:
        self._record = host_dir / "network-rules.json"
        self._boot_id = _BOOT_ID.read_text().strip()
        recorded = read_json(self._record)
        fits = recorded.get("boot_id") == self._boot_id
        self._settled: dict[str, list[object]] = dict(recorded.get("spaces", {})) if fits else {}
        self._known: dict[str, Ruleset] = {}

    def is_settled(self, space: OpenSpace, wanted: Ruleset) -> bool:
        """Whether exactly these rules are in force, and nobody has touched them since we put them there."""
        if not self._is_untouched(space):
            return False
        known = self._known.get(space.name)
        if known is not None:
            return known == wanted
        if self._settled[space.name][2] == fingerprint(wanted):
            self._known[space.name] = wanted
            return True
        return False

    def put(self, space: OpenSpace, wanted: Ruleset) -> Ruleset | None:
        """Puts the rules in force and returns what they replaced, None when that is not known."""
        before = self._known.get(space.name) if self._is_untouched(space) else None
        self._known.pop(space.name, None)
        nft.put(space.name, wanted, before)
        return before

    def settle(self, space: OpenSpace, wanted: Ruleset) -> None:
        """To be called when all that follows from the rules is done too; a crash before makes it be done again."""
        self._known[space.name] = wanted
        generation = space.connections.rules_generation()
        self._settled[space.name] = [space.identity, generation, fingerprint(wanted)]
        self._save()

    def forget(self, name: str) -> None:
        self._known.pop(name, None)
        if self._settled.pop(name, None) is not None:
            self._save()

    def _is_untouched(self, space: OpenSpace) -> bool:
        settled = self._settled.get(space.name)
        return settled is not None and settled[:2] == [space.identity, space.connections.rules_generation()]

    def _save(self) -> None:
        write_json(self._record, {"boot_id": self._boot_id, "spaces": self._settled})
