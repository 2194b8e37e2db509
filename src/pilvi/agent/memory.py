"""The last desired state on disk: what the host goes by when it starts and nobody can be asked."""

import os
from pathlib import Path
from typing import Any

import orjson


def save(path: Path, document: dict[str, Any]) -> None:
    """Whole or not at all, also when the power goes."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps(document))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def load(path: Path) -> dict[str, Any] | None:
    """None when nothing usable is there: then the host waits for the control plane and removes nothing."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return document if isinstance(document, dict) else None
