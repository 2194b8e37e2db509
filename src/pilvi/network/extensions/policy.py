"""Everybody who has a token may know what this API can do."""

from pilvi.kernel.policy import Rule, anyone

SHOW = Rule("get_extension", anyone, "See what this API can do.")
