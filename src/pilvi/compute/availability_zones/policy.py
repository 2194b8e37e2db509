"""Zones are public; which hosts are in them is not."""

from pilvi.kernel.policy import Rule, admin, authenticated

LIST = Rule("os_compute_api:os-availability-zone:list", authenticated, "List availability zones.")
DETAIL = Rule("os_compute_api:os-availability-zone:detail", admin, "List availability zones with their hosts.")
