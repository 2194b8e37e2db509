"""Fields and views that identity's resources share: names, descriptions, self links, echoed extra attributes."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest, Forbidden
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.wire import Body, Length, Pattern, Schema, View
from pilvi.kernel.wire import Render as Render

Name = Annotated[str, Length(1, 255), Pattern(r"\S")]
ShortName = Annotated[str, Length(1, 64), Pattern(r"\S")]
Id = Annotated[str, Length(1, 64), Pattern(r"^[a-zA-Z0-9-]+$")]
NullableId = Annotated[str | None, Length(0, 64), Pattern(r"^[a-zA-Z0-9-]*$")]
RepeatedId = Annotated[str | None, Length(0, 255)]
Url = Annotated[str, Length(1, 225), Pattern(r"^[a-zA-Z0-9+.-]+:.+")]
Immutable = Annotated[
    dict[str, bool | None] | None,
    Schema(
        {"type": "object", "properties": {"immutable": {"type": ["boolean", "null"]}}, "additionalProperties": False}
    ),
]
NEVER_EXTRA = frozenset({"id", "links"})
"""Attributes that clients send back from what they read; they are ours and never stored as extra."""


def extra_of(body: Body) -> dict[str, Any]:
    """The undeclared attributes, which identity keeps and echoes."""
    return {name: value for name, value in body.more.items() if name not in NEVER_EXTRA}


def changes_of(body: Body) -> dict[str, Any]:
    """What a PATCH asks for: the declared fields that were sent, and the others as `extra`. No description is ""."""
    changes = body.sent()
    if body.more:
        changes["extra"] = extra_of(body)
    if changes.get("description", "") is None:
        changes["description"] = ""
    return changes


def sent_with_id(body: Body, id: str) -> dict[str, Any]:
    """What the client sent but the id, which some clients repeat from the URL."""
    changes = body.sent()
    given = changes.pop("id", None)
    if given not in (None, id):
        raise BadRequest(f"The id in the body, {given}, is not the one in the URL, {id}.")
    return changes


def check_id(id: str, most: int = 64) -> None:
    """An id that the caller chose in the URL."""
    if not 0 < len(id) <= most:
        raise BadRequest(f"An id may have {most} characters.")


def merged_options(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options after an update: null takes one away."""
    return {name: value for name, value in {**old, **(new or {})}.items() if value is not None}


def check_mutable(kind: str, id: str, options: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> None:
    """An immutable resource takes no change but the one that makes it mutable; without changes: no deletion."""
    if not options.get("immutable"):
        return
    if changes is not None and set(changes) == {"options"} and "immutable" in (changes["options"] or {}):
        return
    raise Forbidden(
        f"The {kind} {id} is immutable: it can be neither changed nor deleted. "
        "Set its option `immutable` to false first."
    )


def self_link(path: str) -> Callable[[Any, Context], dict[str, str]]:
    """A `links` member for objects with an id below this path."""
    return lambda o, ctx: {"self": f"{ctx.base_url}/v3/{path}/{o.id}"}


class IdentityView(View):
    """A view that shows the object's `extra` attributes too; declared fields win."""

    def __init_subclass__(cls, root: str = "", plural: str = "", links: str = "") -> None:
        super().__init_subclass__(root, plural, links)

    @classmethod
    def renderer(cls, ctx: Context, only: frozenset[str] = frozenset()) -> Render:
        render = super().renderer(ctx, only)

        def with_extra(o: Any, c: Context) -> dict[str, Any]:
            return {**o.extra, **render(o, c)} if o.extra else render(o, c)

        return with_extra


def list_links(ctx: Context, path: str, query: str = "") -> dict[str, Any]:
    url = ctx.cloud_url + path
    return {"next": None, "self": f"{url}?{query}" if query else url, "previous": None}


def page_links(ctx: Context, query: Query, view: type[View], page: Page[Any]) -> dict[str, Any]:
    """What every list carries beside its items."""
    links = list_links(ctx, ctx.path, query.text)
    if not page.more:
        return {"links": links}
    links["next"] = f"{ctx.cloud_url}{ctx.path}?{query.with_changes({'marker': page.items[-1].id})}"
    return {"links": links, "truncated": True}
