"""Placement: what there is (inventories of providers), who holds how much (allocations), and where a request fits.

It asks no other service but identity, through the edge. Compute claims through `facade.py`, in its own transaction;
what it claims and what clients allocate here are the same rows.
"""
