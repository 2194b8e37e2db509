"""Which policy document belongs to which endpoint: to it alone, to its service in a region, or to its service."""
