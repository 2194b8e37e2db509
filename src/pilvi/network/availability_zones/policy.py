"""Everybody with a role may see the zones."""

from pilvi.kernel.policy import Rule, authenticated

SHOW = Rule("get_availability_zone", authenticated, "See the availability zones of the network.")
