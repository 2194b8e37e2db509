"""Domains whose users and groups an LDAP directory holds: mirrored here, never written there."""
