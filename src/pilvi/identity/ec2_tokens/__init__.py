"""Exchanging EC2 and S3 signatures for tokens, for services that speak those protocols."""
