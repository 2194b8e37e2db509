"""Who may see and define flavors."""

from pilvi.kernel.policy import Rule, admin, authenticated

LIST = Rule("os_compute_api:flavors", authenticated, "List and show flavors.")
CREATE = Rule("os_compute_api:os-flavor-manage:create", admin, "Create a flavor.")
UPDATE = Rule("os_compute_api:os-flavor-manage:update", admin, "Change a flavor's description.")
DELETE = Rule("os_compute_api:os-flavor-manage:delete", admin, "Delete a flavor.")
ACCESS = Rule("os_compute_api:os-flavor-access", admin, "List who may use a private flavor.")
ADD_ACCESS = Rule("os_compute_api:os-flavor-access:add_tenant_access", admin, "Let a project use a private flavor.")
REMOVE_ACCESS = Rule("os_compute_api:os-flavor-access:remove_tenant_access", admin, "Take a private flavor away.")
EXTRA_INDEX = Rule("os_compute_api:os-flavor-extra-specs:index", authenticated, "List extra specs.")
EXTRA_SHOW = Rule("os_compute_api:os-flavor-extra-specs:show", authenticated, "Show an extra spec.")
EXTRA_CREATE = Rule("os_compute_api:os-flavor-extra-specs:create", admin, "Set extra specs.")
EXTRA_UPDATE = Rule("os_compute_api:os-flavor-extra-specs:update", admin, "Change an extra spec.")
EXTRA_DELETE = Rule("os_compute_api:os-flavor-extra-specs:delete", admin, "Remove an extra spec.")
