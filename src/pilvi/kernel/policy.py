"""Rules: who may do what. Upstream's names, checked on the real target, remembered in the context."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault, Forbidden

Target = Mapping[str, Any]
Check = Callable[[Context, Target], bool]

RULES: dict[str, "Rule"] = {}
"""Every rule of the program by name; filled on import, read by the reference page and the override file."""


class Rule:
    """A named permission.

    `check` raises Forbidden (or the `denied` given) when the caller may not; either way the context remembers
    that the rule was asked, without which the edge refuses to commit.
    """

    def __init__(self, name: str, default: Check, description: str, scopes: tuple[str, ...] = ("project",)) -> None:
        assert name not in RULES, f"policy rule {name} is declared twice"
        self.name = name
        self.default = default
        self.description = description
        self.scopes = scopes
        RULES[name] = self

    def allows(self, ctx: Context, **target: Any) -> bool:
        ctx.checked.add(self.name)
        return self._in_scope(ctx) and self.default(ctx, target)

    def check(self, ctx: Context, denied: Fault | None = None, **target: Any) -> None:
        if not self.allows(ctx, **target):
            raise denied or Forbidden(
                f"Policy doesn't allow {self.name} to be performed. {self._need(ctx)}".strip(),
                type="PolicyNotAuthorized",
            )

    def _in_scope(self, ctx: Context) -> bool:
        if ctx.host is not None:
            return True
        if ctx.principal.system:
            return "system" in self.scopes
        if ctx.principal.domain_id:
            return "domain" in self.scopes
        return True

    def _need(self, ctx: Context) -> str:
        if not self._in_scope(ctx):
            return f"Use a token scoped to a {' or '.join(self.scopes)}."
        have = ", ".join(sorted(ctx.roles)) or "none"
        return f"Your roles here: {have}."


def anyone(ctx: Context, target: Target) -> bool:
    return True


def authenticated(ctx: Context, target: Target) -> bool:
    return bool(ctx.user_id)


def nobody(ctx: Context, target: Target) -> bool:
    return False


def admin(ctx: Context, target: Target) -> bool:
    return "admin" in ctx.roles


def service(ctx: Context, target: Target) -> bool:
    return "service" in ctx.roles or "service" in ctx.service_roles


def admin_or_service(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or service(ctx, target)


def the_host(ctx: Context, target: Target) -> bool:
    """The agent of the host itself, proven by its certificate."""
    return ctx.host is not None and ctx.host == target.get("host")


def _in_project(ctx: Context, target: Target) -> bool:
    project_id = target.get("project_id")
    return bool(ctx.project_id) and project_id == ctx.project_id


def project_reader(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or ("reader" in ctx.roles and _in_project(ctx, target))


def project_member(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or ("member" in ctx.roles and _in_project(ctx, target))


def project_manager(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or ("manager" in ctx.roles and _in_project(ctx, target))


def owner(ctx: Context, target: Target) -> bool:
    """The user whom the target belongs to."""
    return bool(ctx.user_id) and target.get("user_id") == ctx.user_id


def owner_or_admin(ctx: Context, target: Target) -> bool:
    return admin(ctx, target) or owner(ctx, target)
