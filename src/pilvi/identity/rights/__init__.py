"""What a token comes to at this moment: user, scope and roles in force, or the reason why it counts no more."""
