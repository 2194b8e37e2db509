"""Agents on the wire."""

from typing import Annotated, Any

from pilvi.kernel.wire import From, View
from pilvi.network.agents.model import Agent


def _clock(stamp: str) -> str:
    return stamp[:19].replace("T", " ")


def _started(o: Agent) -> str:
    return _clock(o.started_at)


def _heartbeat(o: Agent) -> str:
    return _clock(o.heartbeat_at)


def _yes(o: Agent) -> bool:
    return True


def _nothing(o: Agent) -> dict[str, Any]:
    return {}


def _topic(o: Agent) -> str:
    return "N/A"


def _zone(o: Agent) -> str:
    return "nova"


class AgentView(View, root="agent", plural="agents"):
    id: str
    agent_type: str
    binary: str
    host: str
    alive: bool
    admin_state_up: Annotated[bool, From(_yes)]
    availability_zone: Annotated[str, From(_zone)]
    topic: Annotated[str, From(_topic)]
    configurations: Annotated[dict[str, Any], From(_nothing)]
    resources_synced: Annotated[bool, From(_yes)]
    created_at: Annotated[str, From(_started)]
    started_at: Annotated[str, From(_started)]
    heartbeat_timestamp: Annotated[str, From(_heartbeat)]
    description: Annotated[Any, From(lambda o: None)]
