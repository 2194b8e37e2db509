"""Endpoints of the catalog: where each API is, per interface and region."""
