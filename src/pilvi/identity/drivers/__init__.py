"""What identity asks outside: OpenID Connect issuers and LDAP directories. Never called under a transaction."""
