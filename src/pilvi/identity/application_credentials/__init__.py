"""Application credentials: a secret with which a program acts for a user in one project, with chosen roles."""
