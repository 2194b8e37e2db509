"""Rules that turn what an identity provider says of a user into a user, groups and projects here."""
