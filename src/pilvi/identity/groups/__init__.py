"""Groups of users, so that a grant can be given to many at once."""
