"""A small typed client of our own HTTP APIs: what `up`, `status`, `ssh` and tests need, without a web framework."""

from pilvi.client.http import ApiError, Client, Credentials, Reply

__all__ = ["ApiError", "Client", "Credentials", "Reply"]
