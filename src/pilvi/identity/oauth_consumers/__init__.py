"""Consumers of OAuth 1.0a: programs that users may let act for them."""
