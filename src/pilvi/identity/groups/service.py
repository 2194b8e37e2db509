"""What can be done with groups and memberships."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.domain_configs import service as domain_configs
from pilvi.identity.epochs import service as epochs
from pilvi.identity.groups import policy, store
from pilvi.identity.groups.model import Group
from pilvi.identity.projects import service as projects
from pilvi.identity.users import service as users
from pilvi.identity.users.model import DIRECTORY, User
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query


def missing(id: str) -> NotFound:
    return NotFound(f"Could not find group: {id}.")


def find(tx: Tx, id: str) -> Group | None:
    return store.find(tx, id)


def find_many(tx: Tx, ids: list[str]) -> list[Group]:
    return store.find_many(tx, ids)


def get(tx: Tx, id: str) -> Group:
    group = store.find(tx, id)
    if group is None:
        raise missing(id)
    return group


def ids_of_user(tx: Tx, user_id: str) -> list[str]:
    """The groups that a user is in now, for good or for a time."""
    return [*store.ids_of_user(tx, user_id), *(id for id, _ in lasting(tx, user_id))]


def lasting(tx: Tx, user_id: str) -> list[tuple[str, float]]:
    """Group and end of each membership that lasts for a time and has not ended."""
    now = clock.now()
    return [one for one in store.lasting_of_user(tx, user_id) if one[1] > now]


def put_lasting(tx: Tx, user_id: str, idp_id: str, group_ids: list[str], ends_at: float) -> None:
    """A provider says in which groups its user is."""
    store.put_lasting(tx, user_id, idp_id, sorted(set(group_ids)), ends_at)
    epochs.bump(tx)


def add(tx: Tx, group: Group) -> None:
    store.add(tx, group)


def refresh(tx: Tx, group: Group, *, name: str, description: str, origin: str) -> None:
    """Take over what a directory says of a group."""
    wanted = {"name": name, "description": description, "origin": origin}
    changes = {key: value for key, value in wanted.items() if getattr(group, key) != value}
    if changes:
        store.update(tx, group.id, changes)


def put_members(tx: Tx, id: str, wanted: Iterable[str]) -> None:
    """Exactly these users are in the group."""
    before, after = set(store.members_of(tx, id)), set(wanted)
    store.leave_many(tx, id, sorted(before - after))
    store.join_many(tx, [(id, user_id) for user_id in sorted(after - before)])
    if before != after:
        epochs.bump(tx)


def put_groups_of(tx: Tx, user_id: str, wanted: set[str], among: set[str]) -> None:
    """Of the groups `among` the user is in exactly those wanted."""
    before = set(store.ids_of_user(tx, user_id)) & among
    for id in sorted(before - wanted):
        store.leave(tx, id, user_id)
    store.join_many(tx, [(id, user_id) for id in sorted(wanted - before)])
    if before != wanted:
        epochs.bump(tx)


def check_own(group: Group) -> None:
    if group.origin == DIRECTORY:
        raise Forbidden(f"Group {group.id} comes from a directory (LDAP): change it there.")


def find_named(tx: Tx, domain_id: str, name: str) -> Group | None:
    return store.find_named(tx, domain_id, name)


def members(tx: Tx, group_ids: list[str]) -> dict[str, list[str]]:
    """Group → users."""
    found: dict[str, list[str]] = {id: [] for id in group_ids}
    for group_id, user_id in store.user_ids(tx, group_ids) if group_ids else []:
        found[group_id].append(user_id)
    return found


def _allowed(ctx: Context, tx: Tx, rule: Rule, id: str) -> Group:
    group = store.find(tx, id)
    rule.check(ctx, domain_id=group.domain_id if group else None)
    if group is None:
        raise missing(id)
    return group


def show(ctx: Context, tx: Tx, id: str) -> Group:
    return _allowed(ctx, tx, policy.SHOW, id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Group]:
    domain_id = ctx.domain_id if ctx.domain_id and not ctx.is_admin else query.get("domain_id")
    policy.LIST.check(ctx, domain_id=domain_id)
    return store.search(tx, query, domain_id)


def list_of_user(ctx: Context, tx: Tx, user_id: str, query: Query) -> Page[Group]:
    user = users.find(tx, user_id)
    policy.LIST_OF_USER.check(ctx, user_id=user_id, domain_id=user.domain_id if user else None)
    if user is None:
        raise users.missing(user_id)
    return store.search(tx, query, None, user_id)


def create(ctx: Context, tx: Tx, group: Group) -> Group:
    if not group.domain_id:
        group = replace(group, domain_id=projects.own_domain(ctx))
    policy.CREATE.check(ctx, domain_id=group.domain_id)
    projects.get_domain(tx, group.domain_id)
    domain_configs.check_own(tx, group.domain_id, "groups")
    group = replace(group, id=ids.hexid())
    store.add(tx, group)
    return group


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Group:
    group = _allowed(ctx, tx, policy.UPDATE, id)
    if changes.pop("domain_id", group.domain_id) != group.domain_id:
        raise BadRequest("The domain of a group cannot be changed.")
    if {"name", "description"} & set(changes):
        check_own(group)
    if "extra" in changes:
        changes["extra"] = {**group.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
    return replace(group, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    check_own(_allowed(ctx, tx, policy.DELETE, id))
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    deletions.group.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    for id in store.in_domain(tx, domain_id):
        remove(tx, id)


@deletions.user
def _release_user(tx: Tx, user_id: str) -> None:
    store.forget_user(tx, user_id)


@deletions.identity_provider
def _release_provider(tx: Tx, idp_id: str) -> None:
    store.forget_provider(tx, idp_id)


# ---- memberships -------------------------------------------------------------------------------------------------


def list_users(ctx: Context, tx: Tx, id: str) -> list[User]:
    _allowed(ctx, tx, policy.LIST_USERS, id)
    return users.find_many(tx, members(tx, [id])[id])


def _membership(ctx: Context, tx: Tx, rule: Rule, id: str, user_id: str) -> None:
    """Group and user exist and the caller may; managers only where both are in their domain."""
    group, user = store.find(tx, id), users.find(tx, user_id)
    same = group is not None and user is not None and group.domain_id == user.domain_id
    rule.check(ctx, domain_id=group.domain_id if group is not None and same else None)
    if group is None:
        raise missing(id)
    if user is None:
        raise users.missing(user_id)
    if rule is not policy.CHECK_USER:
        check_own(group)


def check_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    _membership(ctx, tx, policy.CHECK_USER, id, user_id)
    if not store.has(tx, id, user_id):
        raise NotFound(f"User {user_id} is not in group {id}.")


def add_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    _membership(ctx, tx, policy.ADD_USER, id, user_id)
    store.join(tx, id, user_id)
    epochs.bump(tx)


def remove_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    _membership(ctx, tx, policy.REMOVE_USER, id, user_id)
    if not store.leave(tx, id, user_id):
        raise NotFound(f"User {user_id} is not in group {id}.")
    epochs.bump(tx)
