"""Upstream's default rules of identity: admin; reader of the system; reader or manager of a domain; owner.

Targets are given as `domain_id` (of the thing itself), `user_id` (its owner) and, for grants, what is granted to whom.
"""

from pilvi.kernel.policy import Check, Rule
from pilvi.kernel.policy import owner as owner
from pilvi.kernel.policy import owner_or_admin as owner_or_admin
from pilvi.kernel.policy_language import said

SCOPES = ("system", "domain", "project")


def rule(name: str, default: Check, description: str) -> Rule:
    """A rule of identity; all scopes may ask."""
    return Rule(f"identity:{name}", default, description, SCOPES)


_SYSTEM = "role:admin or (role:reader and system_scope:all)"
_READER = f"{_SYSTEM} or (role:reader and domain_id:%(domain_id)s)"
_BOTH = "domain_id:%(actor_domain_id)s and domain_id:%(target_domain_id)s"
_SERVICE = "role:admin or role:service"

system_reader = said(_SYSTEM)
domain_reader = said(_READER)
"""Admin, system reader, or reader of the target's domain."""
domain_manager = said("role:admin or (role:manager and domain_id:%(domain_id)s)")
owner_or_system_reader = said(f"{_SYSTEM} or user_id:%(user_id)s")
owner_or_domain_reader = said(f"{_READER} or user_id:%(user_id)s")
project_or_domain_reader = said(f"{_READER} or project_id:%(project_id)s")
"""`target.project_id` is the project itself: its own users may look at it."""
role_reader = said(f"{_SYSTEM} or (role:manager and not domain_id:None)")
"""Admin, system reader; managers of domains see what they may grant."""
grant_reader = said(f"{_SYSTEM} or (role:reader and {_BOTH})")
"""Reader of the domain in which both the actor and the target of the grant are."""
grant_manager = said(
    f"role:admin or (role:manager and {_BOTH} and ('manager':%(role_name)s or 'member':%(role_name)s or "
    "'reader':%(role_name)s))"
)
"""Manager of the domain of both, for roles that managers may hand out."""
service_or_admin = said(_SERVICE)
token_validator = said(f"{_SERVICE} or (role:reader and system_scope:all) or user_id:%(user_id)s")
"""Services, admins, readers of the system, and whoever holds the token itself."""
limit_reader = said(f"{_SYSTEM} or project_id:%(project_id)s or domain_id:%(domain_id)s")
"""Who is in the project, or has a token for the domain, of a limit."""
subtree_reader = said(f"{_READER} or (role:admin and project_id:%(project_id)s)")
who_is_in_the_domain = said(f"{_READER} or project_domain_id:%(domain_id)s")
trustor = said("user_id:%(trustor_id)s")
trustor_or_admin = said("role:admin or user_id:%(trustor_id)s")
party_of_trust = said(f"{_SYSTEM} or user_id:%(trustor_id)s or user_id:%(trustee_id)s")
