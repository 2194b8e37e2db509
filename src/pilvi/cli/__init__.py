"""The command line: what an operator types, and the internal commands that start each process."""

from pilvi.cli.main import main

__all__ = ["main"]
