from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

_READ = checks.system_reader
LIST = rule("list_endpoint_groups", _READ, "List endpoint groups.")
SHOW = rule("get_endpoint_group", _READ, "Show an endpoint group.")
CREATE = rule("create_endpoint_group", admin, "Create an endpoint group.")
UPDATE = rule("update_endpoint_group", admin, "Change an endpoint group.")
DELETE = rule("delete_endpoint_group", admin, "Delete an endpoint group.")
LIST_PROJECTS_OF_GROUP = rule("list_projects_associated_with_endpoint_group", _READ, "List a group's projects.")
LIST_ENDPOINTS_OF_GROUP = rule("list_endpoints_associated_with_endpoint_group", _READ, "List a group's endpoints.")
SHOW_IN_PROJECT = rule("get_endpoint_group_in_project", _READ, "Check whether a project has an endpoint group.")
LIST_OF_PROJECT = rule("list_endpoint_groups_for_project", _READ, "List a project's endpoint groups.")
ADD_TO_PROJECT = rule("add_endpoint_group_to_project", admin, "Give a project an endpoint group.")
REMOVE_FROM_PROJECT = rule("remove_endpoint_group_from_project", admin, "Take an endpoint group from a project.")
LIST_PROJECTS = rule("list_projects_for_endpoint", _READ, "List the projects that have an endpoint.")
ADD_ENDPOINT = rule("add_endpoint_to_project", admin, "Give a project an endpoint.")
CHECK_ENDPOINT = rule("check_endpoint_in_project", _READ, "Check whether a project has an endpoint.")
LIST_ENDPOINTS = rule("list_endpoints_for_project", _READ, "List a project's endpoints.")
REMOVE_ENDPOINT = rule("remove_endpoint_from_project", admin, "Take an endpoint from a project.")
