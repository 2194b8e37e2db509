"""Requests that were turned down are events too, so that `why` can tell. Bounded: a flood fills no table."""

import re
import traceback
from itertools import pairwise
from pathlib import Path
from typing import Final

from pilvi.kernel import clock, facts, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Database
from pilvi.kernel.errors import Fault
from pilvi.kernel.log import logger
from pilvi.kernel.routing import Route

MOST_PER_MINUTE: Final = 120
"""Refusals of one user in one minute and process that become events; the log has the others."""
USERS_MOST: Final = 10_000
MESSAGE_MOST: Final = 1000

_ECHO: Final = re.compile(r"(pass|secret|token|user_?data|private_?key|credential|blob)", re.IGNORECASE)
_VALUE: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


class Refusals:
    """Counts per user and minute, and writes what is below the bound."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[str, int] = {}

    def remember(self, database: Database, ctx: Context, step: str, route: Route, status: int, why: str) -> None:
        """An event in a transaction of its own: that of the request is undone."""
        if not route.writes or route.quiet or not ctx.user_id or not self._takes(ctx.user_id):
            return
        outcome = "refused" if status < 500 else "error"
        detail = {"path": ctx.path, "by": ctx.principal.user_name, "status": status, "message": quiet(why)}
        about = ctx.resource or target_of(ctx.path, ctx.asked)
        took_ms = round((clock.monotonic() - ctx.started) * 1000, 3)
        try:
            database.write(
                lambda tx: facts.record(
                    tx, ctx, step, resource=about, outcome=outcome, duration_ms=took_ms, detail=detail
                )
            )
        except Fault as fault:  # The answer matters more than the note of it.
            logger("api").warning("refusal.not_noted", request_id=ctx.request_id, error=fault.message)

    def _takes(self, user_id: str) -> bool:
        minute = int(clock.now() // 60)
        if minute != self._minute or len(self._counts) > USERS_MOST:
            self._minute, self._counts = minute, {}
        self._counts[user_id] = count = self._counts.get(user_id, 0) + 1
        return count <= MOST_PER_MINUTE


def quiet(message: str) -> str:
    """A message as it may be kept: what it quotes of a secret field of the request goes."""
    text = message[:MESSAGE_MOST]
    if "field/attribute" in text and _ECHO.search(text):
        return _VALUE.sub("'…'", text)
    return text


def place_of(error: Exception) -> str:
    """Where an error of ours happened. Its text is left to the log, for it may quote what was asked."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return f"A bug of ours: {type(error).__name__}."
    last = next((f for f in reversed(frames) if "/pilvi/" in f.filename), frames[-1])
    return f"A bug of ours: {type(error).__name__} in {last.name}, {Path(last.filename).name}:{last.lineno}."


def target_of(path: str, body: object = None) -> tuple[str, str, str] | None:
    """What a request is about: the first id in its path and the collection before that, or what it wants to make."""
    parts = path.rstrip("/").split("/")
    for collection, part in pairwise(parts):
        if ids.is_uuid(part):
            return _singular(collection), part, ""
    name = _name_in(body)
    return (_singular(parts[-1]), "", name) if name else None


def _singular(collection: str) -> str:
    return collection.removeprefix("os-").removesuffix("s").replace("-", "_")


def _name_in(body: object) -> str:
    """The name in a body such as `{"server": {"name": …}}` or `{"name": …}`."""
    if not isinstance(body, dict):
        return ""
    inner = next(iter(body.values()), None) if len(body) == 1 else body
    name = inner.get("name") if isinstance(inner, dict) else None
    return name[:255] if isinstance(name, str) else ""
