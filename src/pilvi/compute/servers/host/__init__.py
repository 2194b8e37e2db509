"""The host's side of servers: make the guests that are here equal the guests that are wanted, and say how it went.

Takes no events. What is wanted and what is there are read afresh on every turn, so a restart, a lost message and a
message delivered twice are all the same case.
"""

from pilvi.compute.servers.host.loop import WORKERS, HostServers
from pilvi.compute.servers.host.plan import Step, plan
from pilvi.compute.servers.host.wanted import Reboot, Wanted, parse

__all__ = ["WORKERS", "HostServers", "Reboot", "Step", "Wanted", "parse", "plan"]
