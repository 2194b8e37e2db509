from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.context import Context
from pilvi.kernel.policy import Target, admin


def _who_is_in_it(ctx: Context, target: Target) -> bool:
    inside = bool(target.get("domain_id")) and ctx.principal.project_domain_id == target.get("domain_id")
    return checks.domain_reader(ctx, target) or inside


SHOW = rule("get_domain", _who_is_in_it, "Show a domain.")
LIST = rule("list_domains", checks.domain_reader, "List domains.")
CREATE = rule("create_domain", admin, "Create a domain.")
UPDATE = rule("update_domain", admin, "Change a domain.")
DELETE = rule("delete_domain", admin, "Delete a domain.")
