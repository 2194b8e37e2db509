"""Finds the pair, checks the signature, issues the token of its owner."""

from pilvi.identity.credentials import policy
from pilvi.identity.credentials import service as credentials
from pilvi.identity.credentials.service import KeyPair
from pilvi.identity.ec2_tokens.model import Signed, is_right, is_right_s3
from pilvi.identity.rights import service as rights
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens import service as tokens
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx

METHOD = "ec2credential"


def exchange(ctx: Context, tx: Tx, signed: Signed) -> tuple[str, Validated]:
    policy.EC2_VALIDATE.check(ctx)
    pair = credentials.find_pair(tx, signed.access)
    if pair is None or not is_right(signed, pair.secret, clock.now()):
        raise rights.refused()
    return _issue(tx, pair)


def exchange_s3(ctx: Context, tx: Tx, access: str, token: str, signature: str) -> tuple[str, Validated]:
    policy.S3_VALIDATE.check(ctx)
    pair = credentials.find_pair(tx, access)
    if pair is None or not is_right_s3(token, signature, pair.secret):
        raise rights.refused()
    return _issue(tx, pair)


def _issue(tx: Tx, pair: KeyPair) -> tuple[str, Validated]:
    """The rights of a pair made with handed-on rights are those."""
    token = tokens.scoped(tokens.fresh(pair.user_id, (METHOD,)), "project", pair.tenant_id or "")
    token = tokens.with_delegation(
        token, trust_id=pair.trust_id or "", credential_id=pair.app_cred_id or "",
        access_token_id=pair.access_token_id or "",
    )  # fmt: skip
    return tokens.issue(tx, token)
