"""Agents, synthesised: every host has one that does everything for its network."""

import uuid

from pilvi.kernel import clock, hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.network.agents import policy
from pilvi.network.agents.model import KINDS, Agent


def _agents(tx: Tx) -> list[Agent]:
    return [_agent(host, kind) for host in hosts.all_hosts(tx) for kind in KINDS]


def _agent(host: hosts.Host, kind: str) -> Agent:
    id = str(uuid.uuid5(uuid.UUID(host.id), kind))
    return Agent(
        id=id, agent_type=kind, binary=KINDS[kind], host=host.name, alive=host.is_up(), started_at=host.started_at,
        heartbeat_at=clock.timestamp(host.seen_at),
    )  # fmt: skip


def list_(ctx: Context, tx: Tx, wanted: dict[str, list[str]]) -> list[Agent]:
    """Others than administrators are shown an empty list, as clients expect it."""
    found = _agents(tx) if policy.SHOW.allows(ctx) else []
    for name, values in wanted.items():
        lower = [value.lower() for value in values]
        found = [agent for agent in found if str(getattr(agent, name)).lower() in lower]
    return found


def show(ctx: Context, tx: Tx, id: str) -> Agent:
    policy.SHOW.check(ctx)
    for agent in _agents(tx):
        if agent.id == id:
            return agent
    raise NotFound(f"Agent {id} could not be found", type="AgentNotFound")
