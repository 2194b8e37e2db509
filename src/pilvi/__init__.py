"""Pilvi: an OpenStack cloud in one package."""

__version__ = "0.1.0"
