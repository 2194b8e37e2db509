"""Seeing: one address for the figures of all processes and hosts, what is made of them, and what is remembered.

`live` gathers (docs/decisions/0043): its own figures, those of `api`'s workers over unix sockets, those of the agents
over the line that they hold, haproxy's own, and what one look into the database tells of the whole cloud.
"""

APT_PACKAGES = ("prometheus",)
"""For the test that loads what is generated into a real Prometheus; a cloud does not need it."""
