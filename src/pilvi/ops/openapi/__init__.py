"""OpenAPI 3.1 documents of the services, made from the same route tables and wire classes that serve them.

`document.py` puts one together, `operations.py` and `shapes.py` make its parts, `serving.py` answers
`/openapi/<service>.json`, `pages.py` makes docs/api of it (`python -m pilvi.ops.openapi`). What no declaration says
(which query parameters a list reads, how an answer looks that has no view) comes from `recorded.json`: the contract
tests write down what handlers really asked for and really answered.
"""
