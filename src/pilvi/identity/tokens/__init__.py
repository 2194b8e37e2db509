"""Tokens: who you are, for which scope. They name facts only; rights are worked out whenever one is used."""
