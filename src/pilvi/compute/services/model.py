"""The compute service of a host as operators see it: enabled or not, up or not."""

from dataclasses import dataclass

DEFAULT_ZONE = "nova"
"""The zone of hosts in no aggregate, under the name that clients have always seen."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What operators decided about a host."""

    host: str
    disabled: bool
    disabled_reason: str | None
    forced_down: bool
    updated_at: str


@dataclass(frozen=True, slots=True)
class ComputeService:
    """One line of `openstack compute service list`."""

    id: str
    number: int
    binary: str
    host: str
    zone: str
    status: str
    state: str
    updated_at: str
    disabled_reason: str | None
    forced_down: bool
