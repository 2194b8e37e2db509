"""The ground floor: what has no domain. Imports nothing above it."""
