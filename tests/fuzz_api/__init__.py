"""Requests made by schemathesis from our own documents, sent to the real application in process.

python -m tests.fuzz_api.run --service identity --requests 20000 --seed 1
"""
