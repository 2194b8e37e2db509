"""/OS-OAUTH1 but for consumers, and /users/{id}/OS-OAUTH1/access_tokens. Consumers sign; users bring their token."""

from typing import Any
from urllib.parse import urlencode

from pilvi.identity.oauth_tokens import policy, service
from pilvi.identity.oauth_tokens.model import OAuthToken, Signed, read
from pilvi.identity.oauth_tokens.wire import AccessTokenView, Authorize
from pilvi.identity.roles.model import Role
from pilvi.identity.roles.wire import RoleView
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")
_GIVEN = "/users/{user_id}/OS-OAUTH1/access_tokens"


def signed_by(ctx: Context, query: str = "") -> Signed:
    """The request as its client signed it."""
    return read(ctx.method, ctx.cloud_url + ctx.path, query, ctx.header("Authorization") or "")


def _handed_out(issued: tuple[OAuthToken, str]) -> Answer:
    token, secret = issued
    form = {
        "oauth_token": token.id,
        "oauth_token_secret": secret,
        "oauth_expires_at": clock.timestamp(token.expires_at),
    }
    return Answer(201, urlencode(form).encode(), content_type="application/x-www-form-urlencoded")


@routes.post("/OS-OAUTH1/request_token", rule=None, auth="none")
def ask(ctx: Context, tx: Tx, query: Query) -> Answer:
    project_id = ctx.header("Requested-Project-Id")
    if not project_id:
        raise BadRequest("Name the project in the header Requested-Project-Id.")
    return _handed_out(service.ask(tx, signed_by(ctx, query.text), project_id))


@routes.put("/OS-OAUTH1/authorize/{id}", rule=policy.AUTHORIZE, body=Authorize)
def authorize(ctx: Context, tx: Tx, id: str, body: Authorize) -> Answer:
    ctx.about("oauth_token", id)
    return Answer(200, {"token": {"oauth_verifier": service.authorize(ctx, tx, id, body.roles)}})


@routes.post("/OS-OAUTH1/access_token", rule=None, auth="none")
def fetch(ctx: Context, tx: Tx, query: Query) -> Answer:
    return _handed_out(service.fetch(tx, signed_by(ctx, query.text)))


@routes.get(_GIVEN, rule=policy.LIST, view=AccessTokenView)
def list_all(ctx: Context, tx: Tx, user_id: str) -> list[OAuthToken]:
    return service.list_of_user(ctx, tx, user_id)


@routes.get(_GIVEN + "/{id}", rule=policy.SHOW, view=AccessTokenView)
def show(ctx: Context, tx: Tx, user_id: str, id: str) -> OAuthToken:
    return service.show(ctx, tx, user_id, id)


@routes.delete(_GIVEN + "/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    ctx.about("oauth_token", id)
    service.delete(ctx, tx, user_id, id)


@routes.get(_GIVEN + "/{id}/roles", rule=policy.LIST_ROLES, view=RoleView)
def list_roles(ctx: Context, tx: Tx, user_id: str, id: str) -> list[Role]:
    return service.roles_of(ctx, tx, user_id, id)


@routes.get(_GIVEN + "/{id}/roles/{role_id}", rule=policy.SHOW_ROLE, view=RoleView)
def show_role(ctx: Context, tx: Tx, user_id: str, id: str, role_id: str) -> Any:
    return service.role_of(ctx, tx, user_id, id, role_id)
