"""Control-plane figures on a cloud without hypervisor: one load generator, ratios to goals, never a bare time.

    .venv/bin/python bench/run.py [--generator FILE] [--only identity,lists] [--out FILE]

A cloud with the fake drivers is made in a temporary directory, loaded by the generator that also measured the genuine
services, and removed. What is printed per row is the server's own CPU per request, the goal, and the ratio to both.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.e2e.site import Site  # noqa: E402

GOALS = {
    "token issue (password) c1": (285.0, 25.0),
    "token issue (from a token, no password hash) c1": (9.9, 0.2),
    "token validate c1": (7.8, 0.12),
    "GET projects c1": (16.0, 0.3),
    "GET flavors/detail c1": (13.7, 0.2),
    "GET images c1": (20.0, 0.4),
    "GET servers/detail, 1000 servers c1": (4068.0, 20.0),
    "GET one server c1": (52.0, 0.4),
    "GET allocation_candidates, 1000 providers c1": (171.0, 3.0),
    "neutron create network+subnet+port c1": (343.0, 5.0),
    "GET ports, 1000 ports c1": (1121.0, 15.0),
}
"""Server CPU per request in ms: what the genuine services need (research/peers.md), and what we aim at."""

FAKE = (
    "compute.hypervisor=fake", "network.driver=fake", "compute.cpu_allocation_ratio=100.0",
    "compute.memory_allocation_ratio=100.0", "compute.disk_allocation_ratio=100.0",
)  # fmt: skip
"""One host that holds a thousand servers in memory."""


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder:
        site = Site(Path(folder) / "s", settings=FAKE)
        try:
            site.pilvi("up", "--listen", f"127.0.0.1:{site.port}", "--no-image", *settings(site))
            figures = load(site, arguments)
        finally:
            site.pilvi("down", "--purge", check=False)
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(figures, indent=1))
    print(table(figures["results"]))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", default=str(ROOT.parent / "shared" / "tools" / "bench.py"))
    parser.add_argument("--out")
    parser.add_argument("rest", nargs="*", help="further words for the generator")
    return parser.parse_args()


def settings(site: Site) -> list[str]:
    return [word for setting in site.settings for word in ("--set", setting)]


def load(site: Site, arguments: argparse.Namespace) -> dict[str, Any]:
    password = (site.state / "secrets" / "admin_password").read_text().strip()
    out = site.state.parent / "figures.json"
    pids = ["--server-pid", *(str(pid) for name, pid in site.pids().items() if name != "supervisor")]
    argv = [
        sys.executable, arguments.generator, "run", "--auth-url", f"http://127.0.0.1:{site.port}/identity/v3",
        "--username", "admin", "--password", password, "--project", "admin", "--out", str(out), *arguments.rest, *pids,
    ]  # fmt: skip
    subprocess.run(argv, check=True, timeout=3000)
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def table(results: dict[str, Any]) -> str:
    lines = ["| measurement | server CPU ms | goal | ratio to goal | genuine / ours |", "|---|---:|---:|---:|---:|"]
    for name, (genuine, goal) in GOALS.items():
        found = results.get(name)
        if found is None or "server_cpu_ms_per_req" not in found:
            continue
        cpu = float(found["server_cpu_ms_per_req"])
        lines.append(f"| {name} | {cpu:.2f} | {goal:g} | {cpu / goal:.2f} | {genuine / max(cpu, 0.001):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
