from pilvi.identity import checks
from pilvi.identity.checks import rule

CREATE = rule("create_trust", checks.trustor, "Create a trust of one's own rights.")
LIST = rule("list_trusts", checks.system_reader, "List all trusts.")
LIST_FOR_TRUSTOR = rule("list_trusts_for_trustor", checks.party_of_trust, "List the trusts that a user gave.")
LIST_FOR_TRUSTEE = rule("list_trusts_for_trustee", checks.party_of_trust, "List the trusts that a user was given.")
SHOW = rule("get_trust", checks.party_of_trust, "Show a trust.")
DELETE = rule("delete_trust", checks.trustor_or_admin, "Delete a trust.")
LIST_ROLES = rule("list_roles_for_trust", checks.party_of_trust, "List the roles of a trust.")
SHOW_ROLE = rule("get_role_for_trust", checks.party_of_trust, "Show a role of a trust.")
