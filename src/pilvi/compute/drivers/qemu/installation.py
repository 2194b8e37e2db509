"""The QEMU that is installed and the machine it runs on, asked once."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from pilvi.compute.drivers import tool
from pilvi.compute.drivers.protocol import DriverFault


@dataclass(frozen=True, slots=True)
class Installation:
    version: str
    machine_type: str  # what the alias q35 stands for in this version


@functools.cache
def find(binary: str) -> Installation:
    version = re.search(r"version ([\d.]+)", tool.run([binary, "--version"], directory=Path("/")))
    machines = tool.run([binary, "-machine", "help"], directory=Path("/"))
    machine = re.search(r"alias of (pc-q35-[\d.]+)\)", machines)
    if version is None or machine is None:
        raise DriverFault(f"{binary} does not say its version and machine types as QEMU does.", retry=False)
    return Installation(version.group(1), machine.group(1))


def memory_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    raise DriverFault("/proc/meminfo does not say how much memory there is.", retry=False)
