"""Who may see how many addresses are left."""

from pilvi.kernel.policy import Rule, admin

SHOW = Rule("get_network_ip_availability", admin, "See how many addresses networks have left.")
