"""POST /ec2tokens and /s3tokens, for services only."""

from typing import Any

from pilvi.identity.credentials import policy
from pilvi.identity.ec2_tokens import service
from pilvi.identity.ec2_tokens.model import read
from pilvi.identity.ec2_tokens.wire import EC2, S3
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens.api import answer_headers
from pilvi.identity.tokens.wire import document
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")


def _answer(tx: Tx, issued: tuple[str, Validated]) -> Answer:
    text, validated = issued
    return Answer(200, document(tx, validated, with_catalog=True), answer_headers(text))


@routes.post("/ec2tokens", rule=policy.EC2_VALIDATE, raw=True, shape=EC2, writes=False)
def exchange(ctx: Context, tx: Tx, body: Any) -> Answer:
    policy.EC2_VALIDATE.check(ctx)
    return _answer(tx, service.exchange(ctx, tx, read(body)))


@routes.post("/s3tokens", rule=policy.S3_VALIDATE, raw=True, shape=S3, writes=False)
def exchange_s3(ctx: Context, tx: Tx, body: Any) -> Answer:
    policy.S3_VALIDATE.check(ctx)
    given = body.get("credentials") if isinstance(body, dict) else None
    texts = [str(given.get(n) or "") for n in ("access", "token", "signature")] if isinstance(given, dict) else []
    if not texts or not all(texts):
        raise BadRequest("The body needs `credentials` with `access`, `token` and `signature`.")
    return _answer(tx, service.exchange_s3(ctx, tx, *texts))
