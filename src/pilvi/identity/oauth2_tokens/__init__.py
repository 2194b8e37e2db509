"""OAuth 2.0: programs that speak it get a token for an application credential."""
