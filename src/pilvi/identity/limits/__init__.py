"""Limits of single projects and domains, and how those of parents and children relate."""
