"""Sums of what is held, per provider, project or type of consumer."""
