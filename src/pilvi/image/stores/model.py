"""The stores of this cloud: named places for the bytes of images."""

from dataclasses import dataclass
from pathlib import Path

from pilvi.kernel.config import Config
from pilvi.kernel.errors import BadRequest, Conflict

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Store:
    id: str
    description: str
    directory: Path
    weight: int = 0
    driver: str = "file"
    """One of `drivers.DRIVERS`."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Where copies of images are kept that are slow to read."""

    directory: Path
    limit_bytes: int
    node: str
    """The host whose directory it is."""


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores, the default one first."""

    all: tuple[Store, ...]
    staging: Path
    """Where bytes wait that were sent for an import."""
    shows_locations: bool = False
    """Whether images show and take addresses of their bytes."""
    allowed_hosts: frozenset[str] = frozenset()
    """`name` or `name:port` that may be fetched from although they are not on the public internet."""
    cache: Cache | None = None
    is_strict: bool = True
    """Whether content must be recognised as the format that it is said to have."""

    @property
    def default(self) -> Store:
        return self.all[0]

    @property
    def ids(self) -> list[str]:
        return [store.id for store in self.all]

    def find(self, id: str) -> Store | None:
        return next((store for store in self.all if store.id == id), None)

    def get(self, id: str) -> Store:
        found = self.find(id)
        if found is None:
            raise Conflict(f"Unknown backend {id}: the stores are {', '.join(self.ids)}.")
        return found

    def wanted(self, id: str | None) -> Store:
        """The store that a request header names, or the default one."""
        found = self.find(id) if id else self.default
        if found is None:
            raise BadRequest(f"Unknown backend {id}: the stores are {', '.join(self.ids)}.")
        return found


def stores_of(config: Config) -> Stores:
    root, second = config.paths.images, config.image.second_store
    stores = [Store("file", "Files in the state directory", root / "file", weight=10)]
    if second is not None:
        stores.append(Store("second", "Files of the second directory", second))
    hosts = frozenset(host.strip() for host in config.image.import_from.split(",") if host.strip())
    limit_bytes = config.image.cache_gib * GIB
    cache = Cache(root / "cache", limit_bytes, config.host) if limit_bytes else None
    return Stores(
        tuple(stores), root / "staging", config.image.show_locations, hosts, cache, config.image.strict_formats
    )
