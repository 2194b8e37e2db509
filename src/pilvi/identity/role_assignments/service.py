"""What can be done with grants, and what they come to. Everything that depends on rights asks here."""

from collections.abc import Sequence

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.groups import service as groups
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.role_assignments import policy, store
from pilvi.identity.role_assignments.model import SYSTEM, Assignment, effective_role_ids
from pilvi.identity.roles import service as roles
from pilvi.identity.roles.model import Role
from pilvi.identity.users import service as users
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, NotFound

# ---- what grants come to -----------------------------------------------------------------------------------------


def _actors(tx: Tx, user_id: str) -> list[str]:
    return [user_id, *groups.ids_of_user(tx, user_id)]


def roles_on_project(tx: Tx, user_id: str, project: Project) -> list[Role]:
    """The roles in force for a user on a project: given, through groups, inherited and implied."""
    above = {_place(p) for p in projects.ancestors(tx, project)}
    grants = store.of_actors_on(tx, _actors(tx, user_id), [project.id, *(id for _, id in above)])
    return roles.graph(tx).in_force(effective_role_ids(grants, ("project", project.id), above))


def _place(project: Project) -> tuple[str, str]:
    return ("domain" if project.is_domain else "project", project.id)


def roles_on_domain(tx: Tx, user_id: str, domain_id: str) -> list[Role]:
    grants = store.of_actors_on(tx, _actors(tx, user_id), [domain_id])
    return roles.graph(tx).in_force(effective_role_ids(grants, ("domain", domain_id), set()))


def roles_on_system(tx: Tx, user_id: str) -> list[Role]:
    grants = store.of_actors_on(tx, _actors(tx, user_id), [SYSTEM])
    return roles.graph(tx).in_force(effective_role_ids(grants, ("system", SYSTEM), set()))


def project_ids_of(tx: Tx, user_id: str) -> set[str]:
    """Every project on which the user has a role."""
    found: set[str] = set()
    for grant in store.of_actors(tx, _actors(tx, user_id)):
        if grant.target_type == "project" and not grant.inherited:
            found.add(grant.target_id)
        elif grant.inherited:
            found.update(p.id for p in below(tx, grant.target_type, grant.target_id))
    return found


def below(tx: Tx, target_type: str, target_id: str) -> list[Project]:
    """The projects that inherit from a target."""
    if target_type == "domain":
        return projects.in_domain(tx, target_id)
    return projects.descendants(tx, target_id)


def projects_of(tx: Tx, user_id: str) -> list[Project]:
    return [p for p in projects.find_many(tx, project_ids_of(tx, user_id)) if not p.is_domain or p.enabled]


def domains_of(tx: Tx, user_id: str) -> list[Project]:
    """Domains on which the user has a role."""
    grants = store.of_actors(tx, _actors(tx, user_id))
    wanted = {g.target_id for g in grants if g.target_type == "domain" and not g.inherited}
    return projects.find_many(tx, wanted)


# ---- single grants -----------------------------------------------------------------------------------------------


def _check(ctx: Context, tx: Tx, verb: str, grant: Assignment) -> None:
    """The caller may, and what the grant names exists. The rule comes first: it must not tell what exists."""
    role = roles.graph(tx).roles.get(grant.role_id)
    policy.of(verb, grant.target_type, grant.actor_type).check(
        ctx,
        actor_domain_id=_actor_domain(tx, grant),
        target_domain_id=_target_domain(tx, grant),
        role_name=role.name if role is not None and not role.domain_id else None,
    )
    if _actor_domain(tx, grant) is None and verb != "revoke":
        raise groups.missing(grant.actor_id) if grant.actor_type == "group" else users.missing(grant.actor_id)
    domain_id = _target_domain(tx, grant)
    if domain_id is None and grant.target_type != SYSTEM:
        raise NotFound(f"Could not find {grant.target_type}: {grant.target_id}.")
    if verb == "list":
        return
    if role is None:
        raise roles.missing(grant.role_id)
    if verb == "create" and role.domain_id and role.domain_id != domain_id:
        raise Forbidden(f"The role {role.id} belongs to domain {role.domain_id} and cannot be given elsewhere.")


def _actor_domain(tx: Tx, grant: Assignment) -> str | None:
    if grant.actor_type == "group":
        group = groups.find(tx, grant.actor_id)
        return group.domain_id if group else None
    user = users.find(tx, grant.actor_id)
    return user.domain_id if user else None


def _target_domain(tx: Tx, grant: Assignment) -> str | None:
    if grant.target_type == SYSTEM:
        return None
    target = projects.find(tx, grant.target_id)
    if target is None or (grant.target_type == "domain" and not target.is_domain):
        return None
    return target.home_domain_id


def create(ctx: Context, tx: Tx, grant: Assignment) -> None:
    _check(ctx, tx, "create", grant)
    give(tx, grant)


def give(tx: Tx, grant: Assignment) -> None:
    store.add(tx, grant)
    epochs.bump(tx)


def exists(tx: Tx, grant: Assignment) -> bool:
    return store.has(tx, grant)


def _absent(grant: Assignment) -> NotFound:
    return NotFound(
        f"Could not find role assignment with role: {grant.role_id}, {grant.actor_type}: {grant.actor_id}, "
        f"{grant.target_type}: {grant.target_id}."
    )


def check(ctx: Context, tx: Tx, grant: Assignment) -> None:
    _check(ctx, tx, "check", grant)
    if not store.has(tx, grant):
        raise _absent(grant)


def revoke(ctx: Context, tx: Tx, grant: Assignment) -> None:
    _check(ctx, tx, "revoke", grant)
    if not store.delete(tx, grant):
        raise _absent(grant)
    epochs.bump(tx)


def list_roles(ctx: Context, tx: Tx, grant: Assignment) -> list[Role]:
    """The roles of one actor on one target; the grant's own role does not matter."""
    _check(ctx, tx, "list", grant)
    found = store.search(
        tx, actor_type=grant.actor_type, actor_id=grant.actor_id, target_type=grant.target_type,
        target_id=grant.target_id, inherited=grant.inherited,
    )  # fmt: skip
    known = roles.graph(tx).roles
    return sorted((known[g.role_id] for g in found if g.role_id in known), key=lambda role: role.name)


def given(tx: Tx, actor_ids: Sequence[str]) -> list[Assignment]:
    """All grants of these actors."""
    return store.of_actors(tx, actor_ids)


def search(tx: Tx, **wanted: object) -> list[Assignment]:
    """Grants by their columns; a list means any of them."""
    return store.search(tx, **wanted)


# ---- when something goes -----------------------------------------------------------------------------------------


@deletions.user
def _release_user(tx: Tx, id: str) -> None:
    store.forget_actor(tx, "user", id)


@deletions.group
def _release_group(tx: Tx, id: str) -> None:
    store.forget_actor(tx, "group", id)


@deletions.project
def _release_target(tx: Tx, id: str) -> None:
    store.forget_target(tx, id)


@deletions.role
def _release_role(tx: Tx, id: str) -> None:
    store.forget_role(tx, id)
