"""Providers of resources, and the trees that they form."""
