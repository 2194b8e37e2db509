"""Upstream's default rules of identity as functions: admin; reader of the system; reader or manager of a domain; owner.

Targets are given as `domain_id` (of the thing itself), `user_id` (its owner) and, for grants, what is granted to whom.
"""

from pilvi.kernel.context import Context
from pilvi.kernel.policy import Rule, Target, admin

SCOPES = ("system", "domain", "project")
GRANTABLE_BY_MANAGERS = frozenset({"manager", "member", "reader"})


def rule(name: str, default: object, description: str) -> Rule:
    """A rule of identity; all scopes may ask."""
    return Rule(f"identity:{name}", default, description, SCOPES)  # type: ignore[arg-type]


def system_reader(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or (ctx.principal.system and "reader" in ctx.roles)


def _in_domain(ctx: Context, target: Target, role: str) -> bool:
    return bool(ctx.domain_id) and role in ctx.roles and target.get("domain_id") == ctx.domain_id


def domain_reader(ctx: Context, target: Target) -> bool:
    """Admin, system reader, or reader of the target's domain."""
    return system_reader(ctx, target) or _in_domain(ctx, target, "reader")


def domain_manager(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or _in_domain(ctx, target, "manager")


def owner(ctx: Context, target: Target) -> bool:
    return bool(ctx.user_id) and target.get("user_id") == ctx.user_id


def owner_or_admin(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or owner(ctx, target)


def owner_or_system_reader(ctx: Context, target: Target) -> bool:
    return system_reader(ctx, target) or owner(ctx, target)


def owner_or_domain_reader(ctx: Context, target: Target) -> bool:
    return domain_reader(ctx, target) or owner(ctx, target)


def same_project(ctx: Context, target: Target) -> bool:
    return bool(ctx.project_id) and target.get("project_id") == ctx.project_id


def project_or_domain_reader(ctx: Context, target: Target) -> bool:
    """`target.project_id` is the project itself: its own users may look at it."""
    return domain_reader(ctx, target) or same_project(ctx, target)


def role_reader(ctx: Context, target: Target) -> bool:
    """Admin, system reader; managers of domains see what they may grant."""
    return system_reader(ctx, target) or (bool(ctx.domain_id) and "manager" in ctx.roles)


def grant_reader(ctx: Context, target: Target) -> bool:
    """Reader of the domain in which both the actor and the target of the grant are."""
    if system_reader(ctx, target):
        return True
    both = (target.get("actor_domain_id"), target.get("target_domain_id"))
    return bool(ctx.domain_id) and "reader" in ctx.roles and both == (ctx.domain_id, ctx.domain_id)


def grant_manager(ctx: Context, target: Target) -> bool:
    """Manager of the domain of both, for roles that managers may hand out."""
    if admin(ctx, target):
        return True
    both = (target.get("actor_domain_id"), target.get("target_domain_id"))
    return (
        bool(ctx.domain_id)
        and "manager" in ctx.roles
        and both == (ctx.domain_id, ctx.domain_id)
        and target.get("role_name") in GRANTABLE_BY_MANAGERS
    )


def service_or_admin(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or "service" in ctx.roles


def token_validator(ctx: Context, target: Target) -> bool:
    """Services, admins, readers of the system, and whoever holds the token itself."""
    return service_or_admin(ctx, target) or owner_or_system_reader(ctx, target)
