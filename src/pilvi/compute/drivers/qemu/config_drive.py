"""The config drive: an ISO 9660 image labelled config-2 with the metadata tree that guests otherwise fetch by HTTP."""

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from pilvi.compute.drivers import tool
from pilvi.compute.drivers.protocol import DriverFault

MOST_BYTES: Final = 64 * 1024 * 1024
LABEL: Final = "config-2"


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Makes the image of files given by their paths in it."""
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise DriverFault("The server's metadata and user data are too big for a config drive of 64 MiB.", retry=False)
    tree = path.with_name(path.name + ".tree")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(mode=0o700)
    try:
        for name, content in files.items():
            target = tree / checked(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        words = ["-quiet", "-J", "-joliet-long", "-R", "-V", LABEL, "-input-charset", "utf-8", "-o", path.name]
        tool.run(["genisoimage", *words, tree.name], directory=path.parent)
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise DriverFault(f"{name!r} is not a path inside a config drive.", retry=False)
    return path
