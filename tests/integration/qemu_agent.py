"""A minimal agent for tests: `python -m tests.integration.qemu_agent DIRECTORY` obeys the desired.json in there."""

import json
import sys
import threading
from pathlib import Path

from pilvi.compute.drivers.image_cache import Image
from pilvi.compute.drivers.protocol import ImageFile
from pilvi.compute.servers.host import HostServers
from tests.integration import qemu_rig as rig


def main(directory: Path) -> None:
    news = threading.Event()
    driver = rig.make_driver(directory, lambda guest_id: news.set())

    def fetch(image: Image) -> ImageFile:
        return rig.sector_spec(directory, image.id).image

    servers = HostServers(driver, open_tap=lambda port: 0, fetch_image=fetch, on_news=news.set, shutdown_timeout_s=0.3)
    while True:
        state = json.loads((directory / "desired.json").read_text())
        servers.apply(state["servers"], revision=state["revision"], complete=True)
        servers.turn()
        part = directory / "reports.part"
        part.write_text(json.dumps(servers.reports(everything=True)))
        part.replace(directory / "reports.json")
        news.wait(0.3)
        news.clear()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
