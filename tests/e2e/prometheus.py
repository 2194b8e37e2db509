"""A real Prometheus on loopback, with the generated rules, in a temporary directory."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from pilvi.ops.monitoring import alerts
from tests.e2e.site import Site, free_port, run, until


class Prometheus:
    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, **query: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(query)}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.get("query", query=expression)["result"]
        return found

    def last_scrape(self) -> dict[str, Any]:
        target: dict[str, Any] = self.get("targets")["activeTargets"][0]
        return target


@contextmanager
def watching(site: Site, folder: Path) -> Iterator[Prometheus]:
    """Until it has scraped the cloud a few times."""
    program, tool = shutil.which("prometheus"), shutil.which("promtool")
    assert program, "Debian's package prometheus is missing; `./pilvi test e2e` installs it."
    assert tool
    folder.mkdir()
    (folder / "alerts.yml").write_text(alerts.rules())
    text = alerts.scrape_configuration(
        f"127.0.0.1:{site.port}", str(site.state / "secrets" / "metrics_token"), str(folder / "alerts.yml"),
        interval="1s",
    )  # fmt: skip
    (folder / "prometheus.yml").write_text(text)
    run([tool, "check", "config", str(folder / "prometheus.yml")])
    port = free_port()
    argv = [
        program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    prometheus = Prometheus(port)

    def has_scraped() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return int(prometheus.query("sum(count_over_time(up[5m]))")[0]["value"][1]) >= 4
        except (OSError, IndexError):
            return False

    try:
        until(has_scraped, "Prometheus scraped the cloud")
        yield prometheus
    finally:
        process.terminate()
        process.wait(30)
