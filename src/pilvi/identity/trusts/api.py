"""/OS-TRUST/trusts."""

from pilvi.identity.roles.model import Role
from pilvi.identity.roles.wire import RoleView
from pilvi.identity.trusts import policy, service
from pilvi.identity.trusts.model import LONGEST_CHAIN, Trust
from pilvi.identity.trusts.wire import TrustCreate, shown
from pilvi.identity.wire import extra_of, list_links
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/OS-TRUST/trusts")


@routes.get(rule=policy.LIST)
def list_all(ctx: Context, tx: Tx, query: Query) -> Answer:
    found = [shown(trust, None, ctx) for trust in service.list_all(ctx, tx, query)]
    return Answer(200, {"trusts": found, "links": list_links(ctx, ctx.path, query.text)})


@routes.post(rule=policy.CREATE, body=TrustCreate)
def create(ctx: Context, tx: Tx, body: TrustCreate) -> Answer:
    expires_at = clock.timestamp(clock.parse(body.expires_at)) if body.expires_at else None
    wanted = Trust(
        "", body.trustor_user_id, body.trustee_user_id, body.project_id or None, body.impersonation, [], expires_at,
        body.remaining_uses, None, 0, "", extra_of(body),
    )  # fmt: skip
    count = LONGEST_CHAIN if body.redelegation_count is None else body.redelegation_count
    trust = service.create(ctx, tx, wanted, body.roles or [], may_redelegate=body.allow_redelegation, asked_count=count)
    return Answer(201, {"trust": shown(trust, service.roles_of(tx, trust), ctx)})


@routes.get("/{id}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, id: str) -> Answer:
    trust = service.show(ctx, tx, id)
    return Answer(200, {"trust": shown(trust, service.roles_of(tx, trust), ctx)})


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)


@routes.get("/{id}/roles", rule=policy.LIST_ROLES, view=RoleView)
def list_roles(ctx: Context, tx: Tx, id: str) -> list[Role]:
    return service.list_roles(ctx, tx, id)


@routes.get("/{id}/roles/{role_id}", rule=policy.SHOW_ROLE, view=RoleView)
def show_role(ctx: Context, tx: Tx, id: str, role_id: str) -> Role:
    return service.show_role(ctx, tx, id, role_id)
