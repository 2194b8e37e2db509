"""What serves the network on a host."""

from dataclasses import dataclass

KINDS = {
    "L3 agent": "pilvi-agent", "DHCP agent": "pilvi-agent", "Metadata agent": "pilvi-agent",
    "Linux bridge agent": "pilvi-agent",
}  # fmt: skip
"""The names that clients look for → the program that does it."""


@dataclass(frozen=True, slots=True)
class Agent:
    id: str
    agent_type: str
    binary: str
    host: str
    alive: bool
    started_at: str
    heartbeat_at: str
