"""What a cloud at rest costs: CPU of each process over a minute in which nobody asks for anything.

    .venv/bin/python bench/rest.py [--servers 0,1000] [--seconds 60]

`api` holds the loops (`work`), the auditor and the figures of thirty days, and answers its agent. The guests and
networks are in memory; their agent is a true one, and so is what it tells.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "bench")]

from hot_paths import cpu_s  # noqa: E402

from tests.e2e.site import Site, until  # noqa: E402

GOAL = 0.01
SETTINGS = (
    "compute.hypervisor=fake", "network.driver=fake", "compute.cpu_allocation_ratio=100.0",
    "compute.memory_allocation_ratio=100.0", "compute.disk_allocation_ratio=100.0",
)  # fmt: skip
AT_ONCE = 100
SETTLE_S = 90
"""After the last server: an audit of everything, and what else follows a change, is over by then."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default="0,1000")
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder:
        site = Site(Path(folder) / "s", settings=SETTINGS)
        try:
            site.pilvi("up", "--listen", f"127.0.0.1:{site.port}", "--no-image",
                       *(word for setting in site.settings for word in ("--set", setting)))  # fmt: skip
            for count in sorted(int(number) for number in arguments.servers.split(",")):
                fill(site, Path(folder), count)
                time.sleep(SETTLE_S)
                measure(site, count, arguments.seconds)
        finally:
            site.pilvi("down", "--purge", check=False)
    return 0


def fill(site: Site, folder: Path, count: int) -> None:
    """So many servers that run, on one network."""
    there = site.count("compute_servers")
    if not count:
        return
    if not there:
        disk = folder / "disk"
        disk.write_bytes(bytes(1 << 20))
        site.openstack("image", "create", "--file", str(disk), "--disk-format", "raw", "tiny")
        site.openstack("network", "create", "n")
        site.openstack("subnet", "create", "--network", "n", "--subnet-range", "10.0.0.0/16", "s")
        site.openstack("quota", "set", "--instances", "-1", "--cores", "-1", "--ram", "-1", "--ports", "-1", "admin",
                       show=False)  # fmt: skip
    while there < count:
        more = min(AT_ONCE, count - there)
        many = ("--min", str(more), "--max", str(more))
        words = ("--image", "tiny", "--flavor", "m1.nano", "--network", "n", *many, f"group-{there}")
        site.openstack("server", "create", *words, show=False)
        there += more
    until(lambda: site.count("compute_servers", "vm_state = 'active'") == count, f"{count} active servers", limit_s=900)


def measure(site: Site, count: int, seconds: int) -> None:
    pids = site.pids()
    before = {name: cpu_s(pid) for name, pid in pids.items() if name != "supervisor"}
    began = time.monotonic()
    time.sleep(seconds)
    took_s = time.monotonic() - began
    shares = {name: (cpu_s(pids[name]) - spent) / took_s for name, spent in before.items()}
    told = ", ".join(f"{name} {share:.2%}" for name, share in shares.items())
    verdict = "ok" if shares["api"] <= GOAL else "MISSED"
    print(
        f"{count:5} servers at rest for {took_s:.0f} s, of a core: {told}   goal for api {GOAL:.0%}   {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
