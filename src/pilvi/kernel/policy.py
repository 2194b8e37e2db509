"""Rules: who may do what. Upstream's names, checked on the real target, remembered in the context."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault, Forbidden
from pilvi.kernel.policy_language import Node, said

Check = Node

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
        self.override: Check | None = None
        """What the operator says instead (pilvi.kernel.policy_files)."""
        self.description = description
        self.scopes = scopes
        RULES[name] = self

    def allows(self, ctx: Context, **target: Any) -> bool:
        ctx.checked.add(self.name)
        return self.is_in_scope(ctx) and self.in_force(ctx, target)

    @property
    def in_force(self) -> Check:
        return self.override or self.default

    def check(self, ctx: Context, denied: Fault | None = None, **target: Any) -> None:
        if not self.allows(ctx, **target):
            raise denied or Forbidden(
                f"Policy doesn't allow {self.name} to be performed. {self._need(ctx)}".strip(),
                type="PolicyNotAuthorized",
            )

    def is_in_scope(self, ctx: Context) -> bool:
        if ctx.host is not None:
            return True
        if ctx.principal.system:
            return "system" in self.scopes
        if ctx.principal.domain_id:
            return "domain" in self.scopes
        return True

    def _need(self, ctx: Context) -> str:
        if not self.is_in_scope(ctx):
            return f"Use a token scoped to a {' or '.join(self.scopes)}."
        have = ", ".join(sorted(ctx.roles)) or "none"
        return f"Your roles here: {have}."


anyone = said("@")
authenticated = said("@")
"""Whoever has a token; the edge has seen to that."""
nobody = said("!")
admin = said("role:admin")
service = said("role:service or service_roles:service")
admin_or_service = said("role:admin or role:service or service_roles:service")
the_host = said("host:%(host)s")
"""The agent of the host itself, proven by its certificate."""
project_reader = said("role:admin or (role:reader and project_id:%(project_id)s)")
project_member = said("role:admin or (role:member and project_id:%(project_id)s)")
project_manager = said("role:admin or (role:manager and project_id:%(project_id)s)")
owner = said("user_id:%(user_id)s")
"""The user whom the target belongs to."""
owner_or_admin = said("role:admin or user_id:%(user_id)s")
