"""The namespaces of one cloud on this host: recorded before they are made, and kept open while they are used."""

import json
import os
from pathlib import Path
from typing import Any

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces
from pilvi.network.drivers.linux.conntrack import Connections
from pilvi.network.drivers.linux.links import Links


class OpenSpace:
    """Sockets inside one namespace. They stay in it, whichever thread uses them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.identity = namespaces.identity(name)
        self.links, self.connections = namespaces.inside(name, lambda: (Links(), Connections()))

    def close(self) -> None:
        self.links.close()
        self.connections.close()


class Spaces:
    """Namespaces by name. `host_dir` holds the record of those that were ever made and not yet removed."""

    def __init__(self, tag: str, host_dir: Path) -> None:
        self.prefix = names.namespace_prefix(tag)
        self._record = host_dir / "namespaces.json"
        self._open: dict[str, OpenSpace] = {}

    def record(self, wanted: list[str]) -> None:
        """Before making: what a crash leaves behind can always be found again."""
        recorded = set(self._recorded())
        if not recorded >= set(wanted):
            write_json(self._record, {"namespaces": sorted(recorded | set(wanted))})

    def make(self, name: str) -> bool:
        """Whether it had to be made."""
        if self._is_there(name):
            return False
        self.close(name)
        namespaces.make(name)
        return True

    def _is_there(self, name: str) -> bool:
        known = self._open.get(name)
        try:
            if known is not None and known.identity == namespaces.identity(name):
                return True
        except namespaces.NoNamespace:
            return False
        return namespaces.is_usable(name)

    def open(self, name: str) -> OpenSpace:
        known = self._open.get(name)
        if known is not None and known.identity == namespaces.identity(name):
            return known
        self.close(name)
        self._open[name] = OpenSpace(name)
        return self._open[name]

    def close(self, name: str) -> None:
        # An open socket would keep a removed namespace, and every link in it, alive.
        known = self._open.pop(name, None)
        if known is not None:
            known.close()

    def present(self) -> set[str]:
        """All of this cloud that are on the host, recorded or not."""
        return namespaces.present(self.prefix)

    def remove(self, name: str) -> None:
        assert name.startswith(self.prefix), f"{name} is not a namespace of this cloud."
        self.close(name)
        namespaces.remove(name)
        left = set(self._recorded()) - {name}
        write_json(self._record, {"namespaces": sorted(left)})

    def close_all(self) -> None:
        for name in list(self._open):
            self.close(name)

    def _recorded(self) -> list[str]:
        return list(read_json(self._record).get("namespaces", []))


def read_json(path: Path) -> dict[str, Any]:
    """An absent or broken file is an empty one: what it says can be found out again."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: object) -> None:
    """Replaces the file as a whole: a reader or a crash sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("w") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
