"""Identity: who may do what, where. Users, groups, projects, domains, roles, tokens and the catalog (API v3).

It asks no other service. Others ask `facade.py`, above all `authenticate` on every request. Rights are worked out when
a token is used, never copied into it, so every change counts from the next request on.
"""
