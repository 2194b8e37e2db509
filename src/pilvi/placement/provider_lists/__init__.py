"""The answer of GET /resource_providers: providers by name, tree, aggregates, traits and what they have free."""
