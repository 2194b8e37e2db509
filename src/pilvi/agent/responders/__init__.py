"""What guests ask of the cloud on their own wire: an address, a name, a way out, who they are.

One asynchronous process part answers DHCP, DHCPv6, DNS, router solicitations and metadata for all networks of the
host, on sockets that were opened inside each network's namespace. Everything it says is derived from the wanted state
of the network; it remembers nothing, so it may die and come back at any time.
"""
