"""Trusts: one user lets another act for them in a project, with chosen roles (OS-TRUST)."""
