"""Writes what is generated for monitoring: python -m pilvi.ops.monitoring.generate. A test checks that it is fresh."""

import sys
from pathlib import Path
from typing import Final

from pilvi.kernel import measures
from pilvi.kernel.measures import CATALOGUE
from pilvi.ops.monitoring import alerts, dashboards

ROOT: Final = Path(__file__).parents[4]


def files() -> dict[str, str]:
    """Path below the root of the source tree → content."""
    folder = "deploy/monitoring"
    boards = {f"{folder}/grafana/{board.uid}.json": dashboards.render(board) for board in dashboards.DASHBOARDS}
    configuration = alerts.scrape_configuration(
        "127.0.0.1:8780", "/var/lib/pilvi/secrets/metrics_token", "/etc/prometheus/pilvi/alerts.yml"
    )
    return {
        f"{folder}/alerts.yml": alerts.rules(),
        f"{folder}/prometheus.yml": configuration,
        **boards,
        "docs/operate/figures.md": reference(),
    }


def reference() -> str:
    """Every measure there is, for people."""
    lines = [
        "# Figures",
        "",
        "What `GET /metrics` tells ([monitoring](monitoring.md)). `process`, `worker` and `host` come with each where",
        "they say something. Written by `python -m pilvi.ops.monitoring.generate`.",
        "",
        "| measure | kind | labels | what |",
        "|---|---|---|---|",
    ]
    for measure in CATALOGUE.values():
        labels = ", ".join(f"`{label}`" for label in measure.labels)
        lines.append(f"| `{measure.name}` | {measure.kind} | {labels} | {measure.help} |")
    kept = len(measures.FROM_AGENTS)
    return "\n".join([*lines, "", f"{len(CATALOGUE)} measures; agents may tell {kept} of them.", ""])


def main() -> None:
    for name, content in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
