"""What can be done with users. Passwords come in hashed: hashing is slow and happens outside transactions."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.domain_configs import service as domain_configs
from pilvi.identity.epochs import service as epochs
from pilvi.identity.identity_providers import service as identity_providers
from pilvi.identity.projects import service as projects
from pilvi.identity.users import policy, store
from pilvi.identity.users.model import (
    DAY_S,
    DIRECTORY,
    PasswordRules,
    User,
    failures_after_wrong_password,
    federated_names,
)
from pilvi.identity.wire import merged_options
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def missing(id: str) -> NotFound:
    return NotFound(f"Could not find user: {id}.")


def find(tx: Tx, id: str) -> User | None:
    return store.find(tx, id)


def find_named(tx: Tx, domain_id: str, name: str) -> User | None:
    return store.find_named(tx, domain_id, name)


def find_many(tx: Tx, ids: list[str]) -> list[User]:
    return store.find_many(tx, ids)


def get(tx: Tx, id: str) -> User:
    user = store.find(tx, id)
    if user is None:
        raise missing(id)
    return user


def show(ctx: Context, tx: Tx, id: str) -> User:
    user = store.find(tx, id)
    policy.SHOW.check(ctx, user_id=id, domain_id=user.domain_id if user else None)
    if user is None:
        raise missing(id)
    return user


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[User]:
    domain_id = ctx.domain_id if ctx.domain_id and not ctx.is_admin else query.get("domain_id")
    policy.LIST.check(ctx, domain_id=domain_id)
    return store.search(tx, query, domain_id, _expiry(query.get("password_expires_at")))


def _expiry(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    operator, _, moment = text.partition(":")
    if operator not in ("lt", "lte", "gt", "gte", "eq", "neq"):
        operator, moment = "eq", text
    try:
        return operator, clock.timestamp(clock.parse(moment))
    except ValueError:
        raise BadRequest(f"password_expires_at must be a time like lt:2026-01-31T00:00:00Z, not {text!r}.") from None


def create(ctx: Context, tx: Tx, user: User, rules: PasswordRules) -> User:
    if not user.domain_id:
        user = replace(user, domain_id=projects.own_domain(ctx))
    policy.CREATE.check(ctx, domain_id=user.domain_id)
    projects.get_domain(tx, user.domain_id)
    domain_configs.check_own(tx, user.domain_id, "users")
    _check_default_project(tx, user.default_project_id)
    _check_federated(tx, user.federated)
    return add(tx, user, rules)


def add(tx: Tx, user: User, rules: PasswordRules) -> User:
    now = clock.timestamp()
    user = replace(user, id=user.id or ids.hexid(), active_at=clock.now())
    if user.password_hash is not None:
        user = replace(user, password_changed_at=now, password_expires_at=_expires_at(user.options, rules))
        store.remember_password(tx, user.id, now, user.password_hash or "")
    store.add(tx, user)
    if user.federated:
        store.put_federated(tx, user.id, federated_names(user.federated))
    return user


def find_federated(tx: Tx, idp_id: str, protocol_id: str, unique_id: str) -> User | None:
    """The user who is called so at an identity provider."""
    id = store.find_federated(tx, idp_id, protocol_id, unique_id)
    return store.find(tx, id) if id is not None else None


def refresh(
    tx: Tx, user: User, *, name: str, extra: dict[str, Any], enabled: bool | None = None, origin: str | None = None
) -> User:
    """Take over what somebody else's directory says of a user; what was set here stays."""
    changes: dict[str, Any] = {"name": name} if name != user.name else {}
    if origin is not None and origin != user.origin:
        changes["origin"] = origin
    if {**user.extra, **extra} != user.extra:
        changes["extra"] = {**user.extra, **extra}
    if enabled is not None and enabled != user.enabled:
        changes |= {"enabled": enabled} | ({} if enabled else {"tokens_after": _now_us()})
    if changes:
        store.update(tx, user.id, changes)
        epochs.bump(tx)
    return replace(user, **changes)


def _check_federated(tx: Tx, federated: list[dict[str, Any]]) -> None:
    for idp_id, protocol_id, _ in federated_names(federated):
        if not identity_providers.has_protocol(tx, idp_id, protocol_id):
            raise BadRequest(f"There is no identity provider {idp_id} with a protocol {protocol_id}.")


def check_own(user: User, what: str) -> None:
    """What a directory says is changed there, not here."""
    if user.origin == DIRECTORY:
        raise Forbidden(f"User {user.id} comes from a directory (LDAP): {what} there.")


@deletions.identity_provider
def _release_provider(tx: Tx, idp_id: str) -> None:
    """Users by the provider's word go with it; an account of ours only loses its name there."""
    for id in store.from_provider(tx, idp_id):
        user = get(tx, id)
        if user.origin == user.id:
            remove(tx, id)
            continue
        left = [one for one in user.federated if one["idp_id"] != idp_id]
        store.put_federated(tx, id, federated_names(left))
        store.update(tx, id, {"federated": left})


def _expires_at(options: dict[str, Any], rules: PasswordRules, *, is_own: bool = False) -> str | None:
    """When a password set now must be changed; `is_own`: the users themselves chose it."""
    if rules.change_first and not is_own and not options.get("ignore_change_password_upon_first_use"):
        return clock.timestamp()
    if not rules.expires_after_days or options.get("ignore_password_expiry"):
        return None
    return clock.timestamp(clock.now() + rules.expires_after_days * DAY_S)


def _check_default_project(tx: Tx, id: str | None) -> None:
    project = projects.find(tx, id) if id else None
    if project is not None and project.is_domain:
        raise BadRequest(f"The default project {id} acts as a domain; choose a project.")


def update(
    ctx: Context, tx: Tx, id: str, changes: dict[str, Any], password_hash: str | None, rules: PasswordRules
) -> User:
    user = store.find(tx, id)
    policy.UPDATE.check(ctx, user_id=id, domain_id=user.domain_id if user else None)
    if user is None:
        raise missing(id)
    if changes.pop("domain_id", user.domain_id) != user.domain_id:
        raise BadRequest("The domain of a user cannot be changed.")
    if {"name", "enabled"} & set(changes) or password_hash is not None:
        check_own(user, "change it")
    _check_default_project(tx, changes.get("default_project_id"))
    if "federated" in changes:
        _check_federated(tx, changes["federated"])
        store.put_federated(tx, id, federated_names(changes["federated"]))
    if "options" in changes:
        changes["options"] = merged_options(user.options, changes["options"])
    if "extra" in changes:
        changes["extra"] = {**user.extra, **changes["extra"]}
    if changes.get("enabled") is False and user.enabled:
        changes["tokens_after"] = _now_us()
    if changes.get("enabled"):
        changes |= {"failures": 0, "failed_at": 0.0, "active_at": clock.now()}
    if password_hash is not None:
        changes |= _password_changes(
            tx, replace(user, options=changes.get("options", user.options)), password_hash, rules
        )
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(user, **changes)


def _password_changes(tx: Tx, user: User, hashed: str, rules: PasswordRules, *, is_own: bool = False) -> dict[str, Any]:
    """A new password makes older tokens worthless."""
    now = clock.timestamp()
    store.remember_password(tx, user.id, now, hashed)
    expires_at = _expires_at(user.options, rules, is_own=is_own)
    return {
        "password_hash": hashed, "password_changed_at": now, "password_expires_at": expires_at,
        "tokens_after": _now_us(), "failures": 0, "failed_at": 0.0,
    }  # fmt: skip


def set_own_password(tx: Tx, user: User, hashed: str, rules: PasswordRules) -> None:
    """The user has proven the old password."""
    store.update(tx, user.id, _password_changes(tx, user, hashed, rules, is_own=True))
    epochs.bump(tx)


def last_passwords(tx: Tx, user_id: str, count: int) -> list[str]:
    return store.last_passwords(tx, user_id, count) if count else []


def count_wrong_password(tx: Tx, id: str, rules: PasswordRules) -> None:
    user = store.find(tx, id)
    if user is not None:
        failures = failures_after_wrong_password(user, rules, clock.now())
        store.update(tx, id, {"failures": failures, "failed_at": clock.now()})


def forget_wrong_passwords(tx: Tx, id: str) -> None:
    store.update(tx, id, {"failures": 0, "failed_at": 0.0})


def note_activity(tx: Tx, id: str) -> None:
    store.update(tx, id, {"active_at": clock.now()})


def revoke_tokens(ctx: Context, tx: Tx, id: str) -> None:
    policy.REVOKE_TOKENS.check(ctx, user_id=id)
    get(tx, id)
    store.update(tx, id, {"tokens_after": _now_us()})
    epochs.bump(tx)


def _now_us() -> int:
    return int(clock.now() * 1_000_000)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    user = store.find(tx, id)
    policy.DELETE.check(ctx, user_id=id, domain_id=user.domain_id if user else None)
    if user is None:
        raise missing(id)
    check_own(user, "delete it")
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    deletions.user.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    for id in store.in_domain(tx, domain_id):
        remove(tx, id)


@deletions.project
def _release_project(tx: Tx, project_id: str) -> None:
    store.forget_default_project(tx, project_id)
