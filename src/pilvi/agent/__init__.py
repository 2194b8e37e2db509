"""The process on each host: pull what is wanted, run the host loops, report what is there.

It holds no database access and no shared secret. What it was last told is on its disk, so that guests and networks go
on while the control plane is away.
"""
