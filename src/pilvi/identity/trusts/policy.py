from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.context import Context
from pilvi.kernel.policy import Target


def _trustor(ctx: Context, target: Target) -> bool:
    return bool(ctx.user_id) and target.get("trustor_id") == ctx.user_id


def _trustor_or_admin(ctx: Context, target: Target) -> bool:
    return _trustor(ctx, target) or "admin" in ctx.roles


def _party(ctx: Context, target: Target) -> bool:
    trustee = bool(ctx.user_id) and target.get("trustee_id") == ctx.user_id
    return checks.system_reader(ctx, target) or _trustor(ctx, target) or trustee


CREATE = rule("create_trust", _trustor, "Create a trust of one's own rights.")
LIST = rule("list_trusts", checks.system_reader, "List all trusts.")
LIST_FOR_TRUSTOR = rule("list_trusts_for_trustor", _party, "List the trusts that a user gave.")
LIST_FOR_TRUSTEE = rule("list_trusts_for_trustee", _party, "List the trusts that a user was given.")
SHOW = rule("get_trust", _party, "Show a trust.")
DELETE = rule("delete_trust", _trustor_or_admin, "Delete a trust.")
LIST_ROLES = rule("list_roles_for_trust", _party, "List the roles of a trust.")
SHOW_ROLE = rule("get_role_for_trust", _party, "Show a role of a trust.")
