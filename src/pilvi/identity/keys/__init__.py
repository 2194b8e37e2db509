"""Keys that sign tokens and encrypt credentials; kept in the database, rotated, several valid at once."""
