from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import authenticated

VALIDATE = rule("validate_token", checks.token_validator, "Validate a token.")
CHECK = rule("check_token", checks.token_validator, "Check a token.")
REVOKE = rule("revoke_token", checks.owner_or_admin, "Revoke a token.")
CATALOG = rule("get_auth_catalog", authenticated, "Show one's own catalog.")
PROJECTS = rule("get_auth_projects", authenticated, "List the projects that one can have a token for.")
DOMAINS = rule("get_auth_domains", authenticated, "List the domains that one can have a token for.")
SYSTEM = rule("get_auth_system", authenticated, "Whether one can have a token for the system.")
