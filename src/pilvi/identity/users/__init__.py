"""Users, their passwords and what security rules say about them."""
