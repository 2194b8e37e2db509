"""Grants: who has which role where, given directly, through a group, inherited down a tree, or implied."""
