"""Lists of images: which a caller sees, and what the query string asks for."""

import csv
import re
from typing import Any

from pilvi.image.image_members import service as members
from pilvi.image.image_members.model import STATUSES
from pilvi.image.images import policy, store
from pilvi.image.images.model import Image, Visibility
from pilvi.image.images.service.verbs import get
from pilvi.image.property_protections.model import OPEN, Protections
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean

PAGE, LARGEST_PAGE = 25, 1000
TEXT = frozenset(
    {"id", "name", "status", "owner", "checksum", "container_format", "disk_format", "os_hash_algo", "os_hash_value"}
)
LISTS = frozenset({"id", "name", "status", "container_format", "disk_format"})
"""Attributes of which a list may name several values: `in:raw,qcow2`."""
NUMBERS = frozenset({"size", "min_ram", "min_disk", "virtual_size"})
BOOLEANS = frozenset({"protected", "os_hidden"})
TIMES = frozenset({"created_at", "updated_at"})
OPERATORS = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le", "eq": "eq", "neq": "ne"}
STEERING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag"})
LARGEST_NUMBER = 2**63 - 1
DEFAULT_SORT = (("created_at", True), ("id", True))


def list_(ctx: Context, tx: Tx, query: Query, protections: Protections = OPEN) -> Page[Image]:
    policy.LIST.check(ctx, project_id=ctx.project_id)
    visibility, status = _visibility(query), _member_status(query)
    looks_at_shared = visibility in (None, "shared", "all") and not ctx.is_admin
    comparisons, properties = _conditions(query)
    marker = query.get("marker")
    wanted = store.Wanted(
        project_id=ctx.project_id,
        everything=ctx.is_admin,
        visibility=visibility,
        shared_ids=members.images_shared_with(tx, ctx.project_id, status) if looks_at_shared else [],
        comparisons=comparisons,
        properties=properties,
        tags=query.all("tag"),
        sort=_sort(query),
        marker=_marker(ctx, tx, marker) if marker else None,
        limit=_limit(query),
    )
    # A filter must not tell what the caller may not read.
    is_readable = all(protections.allows(ctx, name, "read") for name, _ in properties)
    rows = store.list_(tx, wanted) if wanted.limit and is_readable else []
    return Page(rows[: wanted.limit], more=len(rows) > wanted.limit)


def _marker(ctx: Context, tx: Tx, id: str) -> Image:
    try:
        return get(ctx, tx, id)
    except NotFound:
        raise BadRequest(f"The marker {id} is not an image that you can see.") from None


def _limit(query: Query) -> int:
    asked = query.number("limit", most=LARGEST_PAGE)
    return PAGE if asked is None else asked


def _visibility(query: Query) -> str | None:
    value = query.get("visibility")
    allowed = [*(v.value for v in Visibility), "all"]
    if value is not None and value not in allowed:
        raise BadRequest(f"Invalid visibility value: {value}. It must be one of {', '.join(allowed)}.")
    return value


def _member_status(query: Query) -> str | None:
    """Which offers count; None for all."""
    value = query.get("member_status", "accepted")
    if value == "all":
        return None
    if value not in STATUSES:
        raise BadRequest(f"Invalid status: {value}. It must be one of {', '.join(STATUSES)}, all.")
    return value


def _sort(query: Query) -> tuple[tuple[str, bool], ...]:
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    text = query.get("sort")
    if text is not None:
        if keys or directions:
            raise BadRequest("Old and new sorting syntax cannot be combined: use sort, or sort_key with sort_dir.")
        pairs = [part.strip().partition(":") for part in text.split(",")]
        keys, directions = [key for key, _, _ in pairs], [direction or "desc" for _, _, direction in pairs]
    if len(directions) > 1 and len(directions) != len(keys):
        raise BadRequest("Number of sort dirs does not match the number of sort keys.")
    order = []
    for i, key in enumerate(keys):
        direction = directions[i if len(directions) > 1 else 0] if directions else "desc"
        if key not in store.SORT_KEYS:
            raise BadRequest(f"Invalid sort key: {key}. It must be one of the following: {', '.join(store.SORT_KEYS)}.")
        if direction not in ("asc", "desc"):
            raise BadRequest(f"Invalid sort direction: {direction}. It must be one of the following: asc, desc.")
        order.append((key, direction == "desc"))
    if not keys and directions:
        order = [("created_at", directions[0] == "desc"), ("id", directions[0] == "desc")]
    given = {key for key, _ in order}
    return (*order, *(pair for pair in DEFAULT_SORT if pair[0] not in given))


def _conditions(query: Query) -> tuple[list[tuple[str, str, Any]], list[tuple[str, str]]]:
    """Comparisons of attributes, and properties that must be equal."""
    comparisons: list[tuple[str, str, Any]] = []
    properties = []
    for name, value in query.pairs:
        if name in STEERING:
            continue
        comparison = _comparison(name, value)
        if comparison is not None:
            comparisons.append(comparison)
        else:
            properties.append((name, value))
    if not any(name == "os_hidden" for name, _, _ in comparisons):
        comparisons.append(("os_hidden", "eq", False))
    return comparisons, properties


def _comparison(name: str, value: str) -> tuple[str, str, Any] | None:
    """A condition on a fixed attribute; None where the name is a free property's."""
    if name in ("size_min", "size_max"):
        return "size", "ge" if name == "size_min" else "le", _number(name, value)
    if name in NUMBERS:
        return name, "eq", _number(name, value)
    if name in BOOLEANS:
        return name, "eq", boolean(value)
    if name in TIMES:
        return _time(name, value)
    if name in LISTS and value.startswith("in:"):
        return name, "in", _several(value[3:])
    return (name, "eq", value) if name in TEXT else None


def _number(name: str, value: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", value) or int(value) > LARGEST_NUMBER:
        raise BadRequest(f"Cannot convert filter value of {name} to an integer of 0 or more: {value[:80]!r}.")
    return int(value)


def _time(name: str, value: str) -> tuple[str, str, Any]:
    """`gt:2026-01-01T00:00:00Z`; times are kept with a fraction, so equality compares seconds."""
    operator, colon, rest = value.partition(":")
    operator, text = (operator, rest) if colon and operator in OPERATORS else ("eq", value)
    try:
        stamp = clock.timestamp(clock.parse(text))
    except (ValueError, OverflowError):
        raise BadRequest(f"Invalid time format: {name}={value[:80]}; write gt:2026-01-31T12:00:00Z.") from None
    edge = {
        "eq": stamp,
        "neq": stamp,
        "gte": stamp[:20],
        "gt": stamp[:20] + "~",
        "lt": stamp[:19],
        "lte": stamp[:19] + "~",
    }
    return name, OPERATORS[operator], edge[operator]


def _several(text: str) -> list[str]:
    """Values with commas between them; a value with a comma stands in double quotes."""
    if text.count('"') % 2:
        raise BadRequest(f"Invalid filter value {text[:80]}. The quote is not closed.")
    return next(csv.reader([text], skipinitialspace=True), [""])
