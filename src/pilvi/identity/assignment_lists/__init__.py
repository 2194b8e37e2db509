"""The answer of GET /role_assignments: grants as given or as effective, with names, with a tree of projects."""
