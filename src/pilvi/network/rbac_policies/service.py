"""Sharing: rows that let another project, or everybody, use an object."""

from collections.abc import Callable

from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict, NotFound
from pilvi.network.quotas import service as quotas
from pilvi.network.rbac_policies import policy, store
from pilvi.network.rbac_policies.model import EVERYBODY, EXTERNAL, OBJECT_TYPES, SHARED, Access, RbacPolicy
from pilvi.network.standard.model import conflict, invalid, missing

owners: dict[str, Callable[[Tx, str], str | None]] = {}
"""Object type → the project that an object belongs to; the rooms of the objects register here."""
withdrawn: list[Callable[[Tx, RbacPolicy], None]] = []
"""Called before sharing ends: whoever knows that it is in use raises RbacPolicyInUse."""
changed: list[Callable[[Tx, RbacPolicy, bool], None]] = []
"""Told that an object is shared (True) or no longer shared (False)."""

quotas.usage["rbac_policy"] = store.count


def access(tx: Tx, object_type: str, project_id: str) -> Access:
    found = Access()
    for object_id, action in store.access(tx, object_type, project_id):
        (found.shared if action == SHARED else found.external).add(object_id)
    return found


def share_with_everybody(tx: Tx, object_type: str, object_id: str, owner: str, *, action: str, on: bool) -> None:
    """What `shared` and `router:external` of an object mean. May be called again."""
    present = [p for p in store.of_object(tx, object_id) if p.action == action and p.target_project == EVERYBODY]
    if on and not present:
        one = RbacPolicy(ids.uuid(), owner, object_type, object_id, action, EVERYBODY)
        store.add(tx, one, _taken(one))
    for one in [] if on else present:
        try:
            _check_unused(tx, one)
        except Conflict as fault:
            text = f"Unable to reconfigure sharing settings for {object_type} {object_id}. Others are using it."
            raise conflict("InvalidSharedSetting", f"{text} {fault.message}") from None
        store.delete(tx, one.id)


of_object = store.of_object


def forget(tx: Tx, object_id: str) -> None:
    store.delete_of_object(tx, object_id)


def _taken(one: RbacPolicy) -> Conflict:
    text = f"An RBAC policy already exists with those values: {one.action} for {one.target_project}."
    return conflict("DuplicateRbacPolicy", text)


def _check_unused(tx: Tx, one: RbacPolicy) -> None:
    for check in withdrawn:
        check(tx, one)


def get(ctx: Context, tx: Tx, id: str) -> RbacPolicy:
    found = store.find(tx, id)
    if found is None or not (ctx.is_admin or ctx.project_id in (found.project_id, found.target_project)):
        policy.SHOW.allows(ctx)
        raise NotFound(f"RBAC policy {id} could not be found.", type="RbacPolicyNotFound")
    policy.SHOW.allows(ctx, project_id=found.project_id)
    return found


def list_(ctx: Context, tx: Tx, filters: dict[str, list[str]]) -> list[RbacPolicy]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return store.list_(tx, None if ctx.is_admin else ctx.project_id, filters)


def create(ctx: Context, tx: Tx, one: RbacPolicy) -> RbacPolicy:
    if one.action not in OBJECT_TYPES[one.object_type]:
        raise invalid(f"Invalid action '{one.action}' for object type '{one.object_type}'.")
    owner = owners[one.object_type](tx, one.object_id)
    if owner is None or not (ctx.is_admin or owner == ctx.project_id):
        policy.CREATE.allows(ctx, project_id=ctx.project_id)
        raise missing({"network": "Network", "security_group": "SecurityGroup"}.get(one.object_type, "Object"),
                      one.object_id)  # fmt: skip
    policy.CREATE.check(ctx, project_id=owner)
    if one.target_project == EVERYBODY or one.action == EXTERNAL:
        policy.CREATE_EVERYBODY.check(ctx, project_id=owner)
    quotas.reserve(tx, one.project_id, "rbac_policy")
    store.add(tx, one, _taken(one))
    for tell in changed:
        tell(tx, one, True)
    ctx.about("rbac_policy", one.id)
    return one


def update(ctx: Context, tx: Tx, id: str, target_project: str) -> RbacPolicy:
    found = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=found.project_id)
    if target_project == EVERYBODY:
        policy.UPDATE_EVERYBODY.check(ctx, project_id=found.project_id)
    _check_unused(tx, found)
    found.target_project = target_project
    store.retarget(tx, id, target_project, _taken(found))
    ctx.about("rbac_policy", id)
    return found


def delete(ctx: Context, tx: Tx, id: str) -> None:
    found = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=found.project_id)
    _check_unused(tx, found)
    store.delete(tx, id)
    for tell in changed:
        tell(tx, found, False)
    ctx.about("rbac_policy", id)
