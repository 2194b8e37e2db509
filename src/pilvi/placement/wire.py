"""What placement's answers share: links by path, and the headers that came with 1.15."""

from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.routing import Answer

CACHE_HEADERS_SINCE = 15


def path(ctx: Context, below: str) -> str:
    """A link: the path under which clients reach something, without scheme and host."""
    return urlsplit(ctx.base_url).path + below


def url(ctx: Context, below: str) -> str:
    return ctx.base_url + below


def answer(
    ctx: Context,
    body: Any,
    *,
    changed_at: str | None = None,
    status: int = 200,
    location: str | None = None,
    stamped: bool | None = None,
) -> Answer:
    """An answer that no cache may keep, with the time of the last change."""
    headers = {}
    if stamped is None:
        stamped = body is not None or ctx.method == "GET"
    if stamped and ctx.version >= CACHE_HEADERS_SINCE:
        moment = clock.parse(changed_at) if changed_at else clock.now()
        headers = {"Last-Modified": formatdate(moment, usegmt=True), "Cache-Control": "no-cache"}
    if location is not None:
        headers["Location"] = url(ctx, location)
    return Answer(status, body, headers, content_type="application/json" if body is not None else "")


def newest(stamps: list[str]) -> str | None:
    return max(stamps, default=None)
