"""The catalog as tokens carry it: per project, with names filled into the URLs."""
