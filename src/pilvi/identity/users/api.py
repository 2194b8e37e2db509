"""/users, but for what belongs to their grants, credentials and groups."""

import re
from typing import Any

from pilvi.identity import passwords, settings
from pilvi.identity.users import policy, service
from pilvi.identity.users.model import User
from pilvi.identity.users.wire import PasswordChange, UserCreate, UserUpdate, UserView
from pilvi.identity.wire import extra_of
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Unauthorized
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/users")


def hashed(body: Any) -> Any:
    """Replace the password by its hash, before any transaction."""
    if body.password is not None:
        _check_strength(body.password)
        body.password = passwords.hash_password(body.password)
    return body


def _check_strength(password: str) -> None:
    rules = settings.current.passwords
    if rules.regex and not re.search(rules.regex, password):
        raise BadRequest(f"The password does not meet the requirements: {rules.regex_description or rules.regex}.")


@routes.get(rule=policy.LIST, view=UserView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[User]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=UserCreate, view=UserView, status=201, prepare=hashed)
def create(ctx: Context, tx: Tx, body: UserCreate) -> User:
    options = {k: v for k, v in (body.options or {}).items() if v is not None}
    user = User(
        id="", name=body.name, domain_id=body.domain_id or "", enabled=body.enabled,
        default_project_id=body.default_project_id or None, password_hash=body.password, password_changed_at=None,
        password_expires_at=None, failures=0, failed_at=0.0, tokens_after=0, options=options, extra=extra_of(body),
        federated=body.federated,
    )  # fmt: skip
    created = service.create(ctx, tx, user, settings.current.passwords)
    ctx.about("user", created.id, created.name)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=UserView)
def show(ctx: Context, tx: Tx, id: str) -> User:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=UserUpdate, view=UserView, prepare=hashed)
def update(ctx: Context, tx: Tx, id: str, body: UserUpdate) -> User:
    changes = body.sent()
    password_hash = changes.pop("password", None)
    if body.more:
        changes["extra"] = extra_of(body)
    user = service.update(ctx, tx, id, changes, password_hash, settings.current.passwords)
    ctx.about("user", id, user.name)
    return user


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("user", id)
    service.delete(ctx, tx, id)


@routes.delete("/{id}/tokens", rule=policy.REVOKE_TOKENS)
def revoke_tokens(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("user", id)
    service.revoke_tokens(ctx, tx, id)


def _change_password(ctx: Context, asked: tuple[User | None, list[str], PasswordChange]) -> Answer:
    """After the reading transaction: check, hash and only then write. An expired password may be changed, too."""
    user, former, body = asked
    right = passwords.verify(body.original_password, user.password_hash if user else None)
    if user is None or not right or not user.enabled:
        raise Unauthorized("The request you have made requires authentication.")
    rules = settings.current.passwords
    _check_own_change(user, body, former)
    hashed_password = passwords.hash_password(body.password)
    ctx.database.write(lambda tx: service.set_own_password(tx, user, hashed_password, rules))
    return Answer(204)


def _check_own_change(user: User, body: PasswordChange, former: list[str]) -> None:
    rules = settings.current.passwords
    _check_strength(body.password)
    if user.options.get("lock_password"):
        raise BadRequest("The password of this account is locked; ask an administrator to change it.")
    if body.password == body.original_password and rules.unique_last:
        raise BadRequest("The new password must differ from the old one.")
    age_s = clock.now() - clock.parse(user.password_changed_at) if user.password_changed_at else 0.0
    if rules.minimum_age_days and user.password_changed_at and age_s < rules.minimum_age_days * 86400:
        raise BadRequest(f"A password can be changed again after {rules.minimum_age_days:g} days.")
    if any(passwords.verify(body.password, old) for old in former):
        raise BadRequest(f"The new password must differ from the last {rules.unique_last} ones.")


@routes.post("/{id}/password", rule=None, body=PasswordChange, auth="none", writes=False, then=_change_password)
def change_password(
    ctx: Context, tx: Tx, id: str, body: PasswordChange
) -> tuple[User | None, list[str], PasswordChange]:
    former = service.last_passwords(tx, id, settings.current.passwords.unique_last)
    return service.find(tx, id), former, body
