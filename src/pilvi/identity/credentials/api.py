"""/credentials and /users/{id}/credentials/OS-EC2."""

from typing import Any

from pilvi.identity.credentials import policy, service
from pilvi.identity.credentials.service import KeyPair, Shown
from pilvi.identity.credentials.wire import CredentialCreate, CredentialUpdate, CredentialView, Ec2Create
from pilvi.identity.wire import changes_of, extra_of, list_links
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")


@routes.get("/credentials", rule=policy.LIST, view=CredentialView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Shown]:
    return service.list_all(ctx, tx, query)


@routes.post("/credentials", rule=policy.CREATE, body=CredentialCreate, view=CredentialView, status=201)
def create(ctx: Context, tx: Tx, body: CredentialCreate) -> Shown:
    return service.create(
        ctx, tx, type=body.type, blob=body.blob, user_id=body.user_id or ctx.user_id,
        project_id=body.project_id or None, extra=extra_of(body),
    )  # fmt: skip


@routes.get("/credentials/{id}", rule=policy.SHOW, view=CredentialView)
def show(ctx: Context, tx: Tx, id: str) -> Shown:
    return service.show(ctx, tx, id)


@routes.patch("/credentials/{id}", rule=policy.UPDATE, body=CredentialUpdate, view=CredentialView)
def update(ctx: Context, tx: Tx, id: str, body: CredentialUpdate) -> Shown:
    ctx.about("credential", id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/credentials/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)


def _shown(pair: KeyPair, ctx: Context) -> dict[str, Any]:
    url = f"{ctx.base_url}/v3/users/{pair.user_id}/credentials/OS-EC2/{pair.access}"
    return {
        "access": pair.access, "secret": pair.secret, "user_id": pair.user_id, "tenant_id": pair.tenant_id,
        "trust_id": pair.trust_id, "links": {"self": url},
    }  # fmt: skip


@routes.post("/users/{user_id}/credentials/OS-EC2", rule=policy.EC2_CREATE, body=Ec2Create)
def create_pair(ctx: Context, tx: Tx, user_id: str, body: Ec2Create) -> Answer:
    pair = _shown(service.create_pair(ctx, tx, user_id, body.tenant_id), ctx)
    return Answer(201, {"credential": pair}, {"Location": pair["links"]["self"]})


@routes.get("/users/{user_id}/credentials/OS-EC2", rule=policy.EC2_LIST)
def list_pairs(ctx: Context, tx: Tx, user_id: str) -> Answer:
    found = [_shown(pair, ctx) for pair in service.pairs(ctx, tx, user_id)]
    return Answer(200, {"credentials": found, "links": list_links(ctx, ctx.path)})


@routes.get("/users/{user_id}/credentials/OS-EC2/{access}", rule=policy.EC2_SHOW)
def show_pair(ctx: Context, tx: Tx, user_id: str, access: str) -> Answer:
    return Answer(200, {"credential": _shown(service.pair(ctx, tx, user_id, access), ctx)})


@routes.delete("/users/{user_id}/credentials/OS-EC2/{access}", rule=policy.EC2_DELETE)
def delete_pair(ctx: Context, tx: Tx, user_id: str, access: str) -> None:
    service.delete_pair(ctx, tx, user_id, access)
