"""Links in answers: always the public address, with the path prefix under which the service hangs."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def resource(ctx: Context, version: str, path: str) -> list[dict[str, str]]:
    """The pair that compute and block storage show: `self` with the version, `bookmark` without."""
    return [
        {"rel": "self", "href": f"{ctx.base_url}/{version}{path}"},
        {"rel": "bookmark", "href": f"{ctx.base_url}{path}"},
    ]


def bookmark(ctx: Context, path: str) -> list[dict[str, str]]:
    return [{"rel": "bookmark", "href": f"{ctx.base_url}{path}"}]


def next_page(ctx: Context, query: Query, page: Page[Any], *, marker: str = "id") -> list[dict[str, str]]:
    """The link to what follows, or nothing when the list ends here."""
    if not page.more or not page.items:
        return []
    following = query.with_changes({"marker": str(getattr(page.items[-1], marker))})
    return [{"rel": "next", "href": f"{ctx.cloud_url}{ctx.path}?{following}"}]
