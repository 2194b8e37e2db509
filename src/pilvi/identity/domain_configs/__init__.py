"""Settings of a domain of its own: which driver its users come from, and how to reach their directory."""
