"""Compute: servers and what they are booted from and on. Asks placement, image and network; nobody below asks it."""
