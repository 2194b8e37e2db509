"""Logins by the word of an identity provider: a bearer token, or a browser that was sent there."""
