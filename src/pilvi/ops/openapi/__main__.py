"""Writes docs/api anew: `python -m pilvi.ops.openapi`."""

from importlib import import_module
from pathlib import Path
from typing import Final

import pilvi
from pilvi.kernel.config import CloudConfig, Config
from pilvi.ops.openapi.document import TITLES, document
from pilvi.ops.openapi.pages import index, page

FOLDER: Final = Path(pilvi.__file__).parents[2] / "docs" / "api"


def pages() -> dict[str, str]:
    """File name → text, for a cloud with the settings that nobody has changed."""
    services_of = import_module("pilvi.main").services_of  # The root of the composition stands above all of ops.
    services = services_of(Config(cloud=CloudConfig(state_dir=Path("/var/lib/pilvi"))))
    documents = {name: document(services, name) for name in TITLES}
    texts = {f"{name}.md": page(name, found) for name, found in documents.items()}
    return {"README.md": index(documents), **texts}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
