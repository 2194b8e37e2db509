from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import authenticated

AUTHORIZE = rule("authorize_request_token", authenticated, "Give a consumer some of one's roles.")
LIST = rule("list_access_tokens", checks.owner, "List the access tokens that a user gave.")
SHOW = rule("get_access_token", checks.owner, "Show an access token that a user gave.")
DELETE = rule("delete_access_token", checks.owner_or_admin, "Take an access token back.")
LIST_ROLES = rule("list_access_token_roles", checks.owner, "List the roles of an access token.")
SHOW_ROLE = rule("get_access_token_role", checks.owner, "Show a role of an access token.")
