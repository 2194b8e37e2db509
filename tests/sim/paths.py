"""Where the services are."""

COMPUTE, NETWORK, IMAGE = "/compute/v2.1", "/network/v2.0", "/image/v2"
IDENTITY, PLACEMENT = "/identity/v3", "/placement"
