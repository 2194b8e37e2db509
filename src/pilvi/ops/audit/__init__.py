"""The auditor: proves on the live cloud what must always hold, and says so when it does not. It never heals.

`service.INVARIANTS` are pure functions from a transaction to violations; the simulator calls the same ones. The auditor
reads the tables by itself, through no room's own code, so that a room's mistake is not repeated here
(docs/decisions/0033).
"""
