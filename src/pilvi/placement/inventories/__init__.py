"""How much of each class a provider has, and how much of that is used."""
