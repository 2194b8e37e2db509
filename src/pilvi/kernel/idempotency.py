"""`Idempotency-Key`: a POST that is sent again with the same key is not carried out again, but answered again.

The key is claimed in the transaction of the change itself, so among any number of equal requests exactly one makes
something, and the others wait for its answer and get it byte for byte. Only answers of requests that changed something
are kept: a refused request changed nothing, and is tried anew. Answers may hold secrets (a generated private key), so
what is stored can only be opened with the key that the client sent, of which only a digest is kept.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet

from pilvi.kernel import clock, facts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import BadRequest, Unprocessable
from pilvi.kernel.routing import Answer

HEADER: Final = "Idempotency-Key"
KEPT_S: Final = 86400.0
_KEY: Final = re.compile(r'"?[\x21\x23-\x7e]{8,255}"?')

answers = sa.Table(
    "kernel_idempotency",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Index("kernel_idempotency_by_time", "created_at"),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One key of one caller, and what it was sent with."""

    id: str
    request: str
    box: Fernet

    def once(self, tx: Tx, ctx: Context, carry_out: Callable[[], Answer]) -> Answer:
        """The answer of the first request with this key; `carry_out` makes it where this is the first."""
        row = {"id": self.id, "request": self.request, "answer": "", "created_at": clock.timestamp()}
        claim = tx.upsert_statement(answers).values(row).on_conflict_do_nothing(index_elements=["id"])
        if not tx.execute(claim):
            return self._again(tx, ctx)
        answer = _encoded(carry_out())
        kept = [answer.status, dict(answer.headers), answer.content_type, (answer.body or b"").decode(), ctx.request_id]
        sealed = self.box.encrypt(orjson.dumps(kept)).decode()
        tx.execute(answers.update().where(answers.c.id == self.id).values(answer=sealed))
        return answer

    def _again(self, tx: Tx, ctx: Context) -> Answer:
        row: Any = tx.first(sa.select(answers).where(answers.c.id == self.id))
        if row.request != self.request:
            raise Unprocessable(
                f"This {HEADER} belongs to another request. Send a new key with a new request, and the same request "
                "with the same key."
            )
        status, headers, content_type, body, ctx.request_id = orjson.loads(self.box.decrypt(row.answer.encode()))
        again = {**headers, "Idempotency-Replayed": "true"}
        return Answer(status, body.encode() or None, again, content_type)


def claim(ctx: Context, query: str, raw: Any) -> Claim | None:
    """What the caller's header claims; None without one. BadRequest when it is no key."""
    key = ctx.header(HEADER) if ctx.method == "POST" else None
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise BadRequest(f"{HEADER} must be 8 to 255 visible ASCII characters, best a new UUID for each request.")
    whose = "\0".join((ctx.user_id, ctx.project_id, ctx.domain_id or "", key))
    what = "\0".join((ctx.path, query, str(ctx.version))).encode() + orjson.dumps(raw)
    box = Fernet(urlsafe_b64encode(sha256(b"answer\0" + whose.encode()).digest()))
    return Claim(sha256(whose.encode()).hexdigest(), sha256(what).hexdigest(), box)


def _encoded(answer: Answer) -> Answer:
    if answer.body is None or isinstance(answer.body, bytes):
        return answer
    return Answer(answer.status, orjson.dumps(answer.body), answer.headers, answer.content_type)


def drop_older(tx: Tx, before: str) -> int:
    old = sa.select(answers.c.id).where(answers.c.created_at < before).limit(facts.DROP_AT_ONCE)
    return tx.execute(answers.delete().where(answers.c.id.in_(old)))
