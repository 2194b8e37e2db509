from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_domain_config", checks.system_reader, "Show a domain's configuration.")
DEFAULTS = rule("get_domain_config_default", checks.system_reader, "Show the default configuration of domains.")
CREATE = rule("create_domain_config", admin, "Set a domain's configuration.")
UPDATE = rule("update_domain_config", admin, "Change a domain's configuration.")
DELETE = rule("delete_domain_config", admin, "Delete a domain's configuration.")
