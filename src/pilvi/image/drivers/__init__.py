"""Where the bytes of images are kept, and what is done to them on the way."""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final

from pilvi.image.drivers.protocol import ImageStore

DRIVERS: Final = {"file": "pilvi.image.drivers.file:FileStore"}
"""Classes of stores by name; each is made with the place that the configuration names."""


@lru_cache(maxsize=100)
def open_store(driver: str, place: Path) -> ImageStore:
    """The store at a place; one per process."""
    module, _, name = DRIVERS[driver].partition(":")
    made: ImageStore = getattr(import_module(module), name)(place)
    return made
