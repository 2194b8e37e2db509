"""Keypairs belong to users, not to projects."""

from pilvi.kernel.policy import Rule, owner_or_admin

CREATE = Rule("os_compute_api:os-keypairs:create", owner_or_admin, "Create or import a keypair.")
SHOW = Rule("os_compute_api:os-keypairs:show", owner_or_admin, "Show a keypair.")
LIST = Rule("os_compute_api:os-keypairs:index", owner_or_admin, "List a user's keypairs.")
DELETE = Rule("os_compute_api:os-keypairs:delete", owner_or_admin, "Delete a keypair.")
