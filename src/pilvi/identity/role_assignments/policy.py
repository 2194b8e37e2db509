from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import Rule, admin

CHECK = rule("check_grant", checks.grant_reader, "Check a grant on a project or domain.")
LIST = rule("list_grants", checks.grant_reader, "List the grants of one user or group on a project or domain.")
CREATE = rule("create_grant", checks.grant_manager, "Give a role on a project or domain.")
REVOKE = rule("revoke_grant", checks.grant_manager, "Take a role on a project or domain away.")
LIST_ALL = rule("list_role_assignments", checks.domain_reader, "List role assignments.")
LIST_SUBTREE = rule(
    "list_role_assignments_for_subtree", checks.subtree_reader, "List role assignments in a tree of projects."
)

SYSTEM_LIST = {
    actor: rule(f"list_system_grants_for_{actor}", checks.system_reader, f"List the system roles of a {actor}.")
    for actor in ("user", "group")
}
SYSTEM_CHECK = {
    actor: rule(f"check_system_grant_for_{actor}", checks.system_reader, f"Check a system role of a {actor}.")
    for actor in ("user", "group")
}
SYSTEM_CREATE = {
    actor: rule(f"create_system_grant_for_{actor}", admin, f"Give a {actor} a system role.")
    for actor in ("user", "group")
}
SYSTEM_REVOKE = {
    actor: rule(f"revoke_system_grant_for_{actor}", admin, f"Take a system role from a {actor}.")
    for actor in ("user", "group")
}
TABLE: dict[str, dict[str, Rule]] = {
    "list": SYSTEM_LIST,
    "check": SYSTEM_CHECK,
    "create": SYSTEM_CREATE,
    "revoke": SYSTEM_REVOKE,
}


def of(verb: str, target_type: str, actor_type: str) -> Rule:
    """The rule for this verb on this kind of grant."""
    if target_type == "system":
        return TABLE[verb][actor_type]
    return {"list": LIST, "check": CHECK, "create": CREATE, "revoke": REVOKE}[verb]
