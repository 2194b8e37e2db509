from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_domain", checks.who_is_in_the_domain, "Show a domain.")
LIST = rule("list_domains", checks.domain_reader, "List domains.")
CREATE = rule("create_domain", admin, "Create a domain.")
UPDATE = rule("update_domain", admin, "Change a domain.")
DELETE = rule("delete_domain", admin, "Delete a domain.")
