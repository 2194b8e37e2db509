"""/agents."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.agents import policy, service
from pilvi.network.agents.model import Agent
from pilvi.network.agents.wire import AgentView

routes = Routes("network", "/v2.0/agents")


@routes.get(rule=policy.SHOW, view=AgentView)
def list_(ctx: Context, tx: Tx, query: Query) -> list[Agent]:
    return service.list_(ctx, tx, query.filters(("id", "agent_type", "binary", "host", "alive")))


@routes.get("/{id}", rule=policy.SHOW, view=AgentView)
def show(ctx: Context, tx: Tx, id: str) -> Agent:
    return service.show(ctx, tx, id)
