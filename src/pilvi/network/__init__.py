"""The network service: networks, subnets, ports, routers, floating IPs and security groups.

It decides who may have which address and who may talk to whom, and says so as wanted state. How packets are really
carried on a host is the business of `drivers`; who a user is comes from identity. It knows nothing of servers beyond
the `device_id` of a port.
"""
