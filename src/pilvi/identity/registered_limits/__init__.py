"""Limits of the whole cloud: what a project may have of a resource unless it has a limit of its own."""
