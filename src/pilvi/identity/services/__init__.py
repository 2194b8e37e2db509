"""Services of the catalog: what kinds of API this cloud has."""
