"""/roles, /roles/{id}/implies and /role_inferences."""

from typing import Any

from pilvi.identity.roles import policy, service
from pilvi.identity.roles.model import Role
from pilvi.identity.roles.wire import RoleCreate, RoleUpdate, RoleView, reference
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")


@routes.get("/roles", rule=policy.LIST, view=RoleView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Role]:
    return service.list_all(ctx, tx, query)


@routes.post("/roles", rule=policy.CREATE, body=RoleCreate, view=RoleView, status=201)
def create(ctx: Context, tx: Tx, body: RoleCreate) -> Role:
    options = {k: v for k, v in (body.options or {}).items() if v is not None}
    role = Role("", body.name, body.domain_id or "", body.description or "", options, extra_of(body))
    created = service.create(ctx, tx, role)
    ctx.about("role", created.id, created.name)
    return created


@routes.get("/roles/{id}", rule=policy.SHOW, view=RoleView)
def show(ctx: Context, tx: Tx, id: str) -> Role:
    return service.show(ctx, tx, id)


@routes.patch("/roles/{id}", rule=policy.UPDATE, body=RoleUpdate, view=RoleView)
def update(ctx: Context, tx: Tx, id: str, body: RoleUpdate) -> Role:
    role = service.update(ctx, tx, id, changes_of(body))
    ctx.about("role", id, role.name)
    return role


@routes.delete("/roles/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("role", id)
    service.delete(ctx, tx, id)


@routes.get("/role_inferences", rule=policy.LIST_INFERENCES)
def inferences(ctx: Context, tx: Tx) -> Answer:
    found = [_inference(prior, implied, ctx) for prior, implied in service.implications(ctx, tx)]
    return Answer(200, {"role_inferences": found, "links": {"self": f"{ctx.base_url}/v3/role_inferences"}})


def _inference(prior: Role, implied: list[Role], ctx: Context) -> dict[str, Any]:
    return {"prior_role": reference(prior, ctx), "implies": [reference(role, ctx) for role in implied]}


@routes.get("/roles/{id}/implies", rule=policy.LIST_IMPLIED)
def implied_by(ctx: Context, tx: Tx, id: str) -> Answer:
    inference = _inference(*service.implied_by(ctx, tx, id), ctx)
    url = f"{ctx.base_url}/v3/roles/{id}/implies"
    return Answer(200, {"role_inference": inference, "links": {"self": url}})


def _one(pair: tuple[Role, Role], ctx: Context, status: int) -> Answer:
    prior, implied = pair
    inference = {"prior_role": reference(prior, ctx), "implies": reference(implied, ctx)}
    url = f"{ctx.base_url}/v3/roles/{prior.id}/implies/{implied.id}"
    return Answer(status, {"role_inference": inference, "links": {"self": url}})


@routes.get("/roles/{id}/implies/{implied_id}", rule=policy.SHOW_IMPLIED)
def implication(ctx: Context, tx: Tx, id: str, implied_id: str) -> Answer:
    return _one(service.implication(ctx, tx, id, implied_id), ctx, 200)


@routes.head("/roles/{id}/implies/{implied_id}", rule=policy.SHOW_IMPLIED, status=204)
def check_implication(ctx: Context, tx: Tx, id: str, implied_id: str) -> None:
    service.implication(ctx, tx, id, implied_id)


@routes.put("/roles/{id}/implies/{implied_id}", rule=policy.CREATE_IMPLIED)
def imply(ctx: Context, tx: Tx, id: str, implied_id: str) -> Answer:
    ctx.about("role", id)
    return _one(service.imply(ctx, tx, id, implied_id), ctx, 201)


@routes.delete("/roles/{id}/implies/{implied_id}", rule=policy.DELETE_IMPLIED)
def imply_no_more(ctx: Context, tx: Tx, id: str, implied_id: str) -> None:
    ctx.about("role", id)
    service.imply_no_more(ctx, tx, id, implied_id)
