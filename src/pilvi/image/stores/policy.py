"""Who may look at stores. Upstream's names."""

from pilvi.kernel.policy import Rule, admin

DETAIL = Rule("stores_info_detail", admin, "Show the stores with their settings.")
