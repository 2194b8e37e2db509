"""Who may see what serves the network."""

from pilvi.kernel.policy import Rule, admin

SHOW = Rule("get_agent", admin, "See the hosts that serve the network.")
