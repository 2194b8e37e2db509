"""Traits: what providers can do, standard names and one's own."""
