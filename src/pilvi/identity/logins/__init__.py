"""Logging in: proofs in, token out. Slow checks run between two short transactions."""
