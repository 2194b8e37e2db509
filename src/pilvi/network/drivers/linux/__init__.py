"""The embedded network: bridges, namespaces and nftables of the Linux kernel, with no daemon beside the agent.

All of it lives in namespaces named after the cloud's tag; the machine's own namespace never sees a packet of it.
"""

# What must be installed on a host (Debian and Ubuntu have the same names).
APT_PACKAGES = ("iproute2", "nftables")
