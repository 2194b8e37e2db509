"""Secrets that users keep with us for other uses: EC2 key pairs, TOTP seeds, certificates. Encrypted at rest."""
