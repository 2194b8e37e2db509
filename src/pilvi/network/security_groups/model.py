"""A security group: what may reach the ports that have it, and what they may reach."""

from dataclasses import dataclass, field
from typing import Any

from pilvi.network.standard.model import Standard

DEFAULT = "default"


@dataclass(slots=True, kw_only=True)
class SecurityGroup(Standard):
    stateful: bool
    shared: bool = False
    rules: list[Any] = field(default_factory=list)
