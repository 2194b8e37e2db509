"""Allocations: who holds how much of what, and the consumers that hold it."""
