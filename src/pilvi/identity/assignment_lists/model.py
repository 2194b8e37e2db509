"""What was asked of the list."""

from dataclasses import dataclass

from pilvi.identity.role_assignments.model import Assignment
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query


@dataclass(frozen=True, slots=True)
class Asked:
    user_id: str | None
    group_id: str | None
    role_id: str | None
    project_id: str | None
    domain_id: str | None
    system: bool
    inherited: bool | None
    effective: bool
    names: bool
    subtree: bool


def asked(query: Query) -> Asked:
    """Read the query string; combinations without a meaning are refused."""
    inherited = query.get("scope.OS-INHERIT:inherited_to")
    if inherited not in (None, "projects"):
        raise BadRequest("scope.OS-INHERIT:inherited_to must be `projects`.")
    found = Asked(
        user_id=query.get("user.id"), group_id=query.get("group.id"), role_id=query.get("role.id"),
        project_id=query.get("scope.project.id"), domain_id=query.get("scope.domain.id"),
        system="scope.system" in query, inherited=True if inherited else None,
        effective=query.flag("effective"), names=query.flag("include_names"), subtree=query.flag("include_subtree"),
    )  # fmt: skip
    if found.subtree and not found.project_id:
        raise BadRequest("include_subtree needs scope.project.id.")
    if sum((bool(found.project_id), bool(found.domain_id), found.system)) > 1:
        raise BadRequest("Ask for one scope: a project, a domain or the system.")
    if found.user_id and found.group_id:
        raise BadRequest("Ask for a user or a group, not for both.")
    if found.effective and found.group_id:
        raise BadRequest("Effective assignments are those of users: group.id cannot be combined with effective.")
    if found.effective and found.inherited and found.domain_id:
        raise BadRequest("Inherited roles are effective on projects: do not ask for a domain.")
    return found


def matches(grant: Assignment, wanted: Asked, projects: set[str] | None) -> bool:
    """Whether an effective grant is among those asked for."""
    if wanted.user_id and grant.actor_id != wanted.user_id:
        return False
    if wanted.role_id and grant.role_id != wanted.role_id:
        return False
    if wanted.system:
        return grant.target_type == "system"
    if wanted.domain_id:
        return (grant.target_type, grant.target_id) == ("domain", wanted.domain_id)
    return projects is None or (grant.target_type == "project" and grant.target_id in projects)
