"""OAuth 1.0a: a consumer asks for rights, a user gives some of theirs, the consumer acts with those and no others."""
