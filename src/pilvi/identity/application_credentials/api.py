"""/users/{id}/application_credentials and /users/{id}/access_rules."""

from typing import Any

from pilvi.identity import passwords
from pilvi.identity.application_credentials import policy, service
from pilvi.identity.application_credentials.model import AccessRule, ApplicationCredential
from pilvi.identity.application_credentials.service import Shown
from pilvi.identity.application_credentials.wire import AccessRuleView, CredentialCreate, CredentialView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/users/{user_id}")


def _with_secret(body: Any) -> Any:
    """A secret that people chose needs a slow hash, before any transaction; one of ours a fast one."""
    if body.secret is not None:
        body.secret_hash = passwords.hash_password(body.secret)
    else:
        body.secret = service.new_secret()
        body.secret_hash = passwords.hash_secret(body.secret)
    return body


@routes.get("/application_credentials", rule=policy.LIST, view=CredentialView)
def list_all(ctx: Context, tx: Tx, user_id: str, query: Query) -> Page[Shown]:
    return service.list_of_user(ctx, tx, user_id, query)


@routes.post(
    "/application_credentials",
    rule=policy.CREATE, body=CredentialCreate, view=CredentialView, status=201, prepare=_with_secret,
)  # fmt: skip
def create(ctx: Context, tx: Tx, user_id: str, body: CredentialCreate) -> Shown:
    wanted = ApplicationCredential(
        "", user_id, "", body.name, body.description or "", body.secret_hash, [], bool(body.unrestricted),
        body.expires_at, None,
    )  # fmt: skip
    return service.create(ctx, tx, user_id, wanted, body.roles, body.access_rules, body.secret or "")


@routes.get("/application_credentials/{id}", rule=policy.SHOW, view=CredentialView)
def show(ctx: Context, tx: Tx, user_id: str, id: str) -> Shown:
    return service.show(ctx, tx, user_id, id)


@routes.delete("/application_credentials/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    service.delete(ctx, tx, user_id, id)


@routes.get("/access_rules", rule=policy.LIST_RULES, view=AccessRuleView)
def list_rules(ctx: Context, tx: Tx, user_id: str, query: Query) -> Page[AccessRule]:
    return service.list_rules(ctx, tx, user_id, query)


@routes.get("/access_rules/{id}", rule=policy.SHOW_RULE, view=AccessRuleView)
def show_rule(ctx: Context, tx: Tx, user_id: str, id: str) -> AccessRule:
    return service.show_rule(ctx, tx, user_id, id)


@routes.delete("/access_rules/{id}", rule=policy.DELETE_RULE)
def delete_rule(ctx: Context, tx: Tx, user_id: str, id: str) -> None:
    service.delete_rule(ctx, tx, user_id, id)
