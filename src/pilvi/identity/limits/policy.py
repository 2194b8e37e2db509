from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.context import Context
from pilvi.kernel.policy import Target, admin, authenticated


def _owner(ctx: Context, target: Target) -> bool:
    """Who is in the project, or has a token for the domain, of a limit."""
    domain = bool(ctx.domain_id) and target.get("domain_id") == ctx.domain_id
    return checks.system_reader(ctx, target) or checks.same_project(ctx, target) or domain


MODEL = rule("get_limit_model", authenticated, "Show how limits relate.")
SHOW = rule("get_limit", _owner, "Show a limit.")
LIST = rule("list_limits", authenticated, "List limits: all, or those of one's own project or domain.")
CREATE = rule("create_limits", admin, "Set limits.")
UPDATE = rule("update_limit", admin, "Change a limit.")
DELETE = rule("delete_limit", admin, "Delete a limit.")
