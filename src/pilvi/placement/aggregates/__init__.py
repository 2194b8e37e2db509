"""Aggregates: sets of providers that share something."""
