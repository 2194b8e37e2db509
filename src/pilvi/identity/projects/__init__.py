"""Projects own what is made in the other services and form trees inside a domain, which is kept as a project too."""
