"""The rules stand with those of servers."""

from pilvi.compute.servers.policy import CONSOLE_CREATE, CONSOLE_TOKENS

__all__ = ["CONSOLE_CREATE", "CONSOLE_TOKENS"]
