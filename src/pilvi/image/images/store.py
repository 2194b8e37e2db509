"""The only SQL for images. Takes a transaction, never commits one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from pilvi.image.images.model import Image
from pilvi.image.quotas.model import Usage
from pilvi.kernel.db import Json, Shaped, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track

images = sa.Table(
    "image_images",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(255), nullable=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("visibility", sa.String(16), nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("os_hidden", sa.Boolean, nullable=False),
    sa.Column("owner", sa.String(255), nullable=True),
    sa.Column("disk_format", sa.String(20), nullable=True),
    sa.Column("container_format", sa.String(20), nullable=True),
    sa.Column("size", sa.BigInteger, nullable=True),
    sa.Column("virtual_size", sa.BigInteger, nullable=True),
    sa.Column("min_disk", sa.BigInteger, nullable=False),
    sa.Column("min_ram", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.String(32), nullable=True),
    sa.Column("os_hash_algo", sa.String(64), nullable=True),
    sa.Column("os_hash_value", sa.String(128), nullable=True),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("properties", Json, nullable=False),
    sa.Column("locations", Json, nullable=False),
    sa.Column("upload_id", sa.String(36), nullable=False),
    sa.Column("holder", sa.String(16), nullable=False),
    sa.Column("busy_until", sa.Float, nullable=False),
    sa.Index("image_images_by_owner", "owner", "created_at"),
    sa.Index("image_images_by_time", "created_at", "id"),
    sa.Index("image_images_by_name", "name"),
)
track(
    images, "image",
    "name status visibility protected os_hidden owner disk_format container_format size virtual_size min_disk min_ram "
    "os_hash_value tags properties",
    project="owner",
)  # fmt: skip

EMPTY: Any = sa.literal_column("''")
SORT_KEYS = {
    "name": sa.func.coalesce(images.c.name, EMPTY),
    "status": images.c.status,
    "container_format": sa.func.coalesce(images.c.container_format, EMPTY),
    "disk_format": sa.func.coalesce(images.c.disk_format, EMPTY),
    "size": sa.func.coalesce(images.c.size, sa.literal_column("-1")),
    "id": images.c.id,
    "created_at": images.c.created_at,
    "updated_at": images.c.updated_at,
}
"""What a list may be sorted by; never NULL, so that both engines order and page alike."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images a list shows, in which order."""

    project_id: str
    everything: bool
    """The caller sees other projects' images too."""
    visibility: str | None
    shared_ids: list[str]
    comparisons: list[tuple[str, str, Any]] = field(default_factory=list)
    """Attribute, operator (eq ne lt le gt ge in) and value."""
    properties: list[tuple[str, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    sort: Sequence[tuple[str, bool]] = (("created_at", True), ("id", True))
    """Keys, with True for descending; the last one is unique."""
    marker: Image | None = None
    limit: int = 25


def add(tx: Tx, image: Image) -> None:
    tx.insert(images, image, duplicate=Conflict(f"Image ID {image.id} already exists!"))


def find(tx: Tx, id: str) -> Image | None:
    return tx.first(sa.select(images).where(images.c.id == id), Image)


def find_many(tx: Tx, ids: list[str]) -> list[Image]:
    return tx.all(sa.select(images).where(images.c.id.in_(ids)), Image)


def update(tx: Tx, id: str, **values: Any) -> int:
    return tx.execute(images.update().where(images.c.id == id).values(**values))


def update_transfer(tx: Tx, id: str, upload_id: str, statuses: Sequence[str], /, **values: Any) -> int:
    """Change an image for the transfer that fills it, and only for that one."""
    mine = (images.c.id == id, images.c.upload_id == upload_id, images.c.status.in_(list(statuses)))
    return tx.execute(images.update().where(*mine).values(**values))


def delete(tx: Tx, id: str) -> int:
    return tx.execute(images.delete().where(images.c.id == id))


def busy_before(tx: Tx, statuses: Sequence[str], moment: float) -> list[Image]:
    """Images in these states whose transfer has not shown itself in time."""
    late = sa.select(images).where(images.c.status.in_(list(statuses)), images.c.busy_until < moment)
    return tx.all(late.limit(1000), Image)


def left_behind(tx: Tx, host: str, holder: str) -> list[Image]:
    """Images whose transfer an earlier run of this host's process held."""
    held = sa.and_(images.c.upload_id != "", images.c.holder.startswith(host), images.c.holder != holder)
    return tx.all(sa.select(images).where(held).limit(10_000), Image)


def usage(tx: Tx, owner: str) -> Usage:
    """What a project has, from its rows; an image counts once for each place that holds its bytes."""
    mine = images.c.owner == owner
    locations: Any = sa.cast(images.c.locations, JSONB) if tx.is_postgresql else images.c.locations
    places = sa.func.jsonb_array_length(locations) if tx.is_postgresql else sa.func.json_array_length(locations)
    is_coming = images.c.status.in_(["saving", "uploading", "importing"])
    is_staged = images.c.status.in_(["uploading", "importing"])
    size = sa.func.coalesce(images.c.size, sa.literal_column("0"))
    return tx.all(
        sa.select(
            sa.cast(sa.func.coalesce(sa.func.sum(size * places), 0), sa.BigInteger).label("size_bytes"),
            sa.cast(sa.func.coalesce(sa.func.sum(sa.case((is_staged, size), else_=0)), 0), sa.BigInteger)
            .label("staged_bytes"),
            sa.func.count().label("count"),
            sa.cast(sa.func.coalesce(sa.func.sum(sa.case((is_coming, 1), else_=0)), 0), sa.BigInteger)
            .label("uploading"),
        ).where(mine),
        Usage,
    )[0]  # fmt: skip


def every_id(tx: Tx) -> set[str]:
    return set(tx.scalars(sa.select(images.c.id)))


def list_(tx: Tx, wanted: Wanted) -> list[Image]:
    """One more than the limit, so that the caller knows whether more follow."""
    if _is_plain(wanted):
        return tx.all(_plain(wanted), Image)
    statement = sa.select(images).where(_visible(wanted))
    for name, operator, value in wanted.comparisons:
        statement = statement.where(_COMPARE[operator](images.c[name], value))
    for name, value in wanted.properties:
        statement = statement.where(_has_property(tx, name, value))
    for tag in wanted.tags:
        statement = statement.where(_has_tag(tx, tag))
    if wanted.marker is not None:
        statement = statement.where(_after(wanted, wanted.marker))
    for key, descending in wanted.sort:
        column = SORT_KEYS[key]
        statement = statement.order_by(column.desc() if descending else column.asc())
    return tx.all(statement.limit(wanted.limit + 1), Image)


def _is_plain(wanted: Wanted) -> bool:
    """What clients ask for all the time: no filter of their own, from the start."""
    only_hidden = wanted.comparisons in ([("os_hidden", "eq", False)], [("os_hidden", "eq", True)])
    asks_more = wanted.properties or wanted.tags or wanted.marker is not None
    return wanted.visibility is None and not wanted.shared_ids and only_hidden and not asks_more


def _plain(wanted: Wanted) -> Shaped:
    values = {"project": wanted.project_id, "hidden": wanted.comparisons[0][2], "page_rows": wanted.limit + 1}
    values["named"] = "community" if wanted.everything else "public"

    def build() -> Any:
        own = images.c.owner == sa.bindparam("project")
        named: Any = sa.bindparam("named")
        of_all = images.c.visibility != named if wanted.everything else images.c.visibility == named
        order = [SORT_KEYS[key].desc() if descending else SORT_KEYS[key].asc() for key, descending in wanted.sort]
        rows = sa.bindparam("page_rows", type_=sa.Integer)
        mine = sa.select(images).where(sa.or_(own, of_all), images.c.os_hidden == sa.bindparam("hidden"))
        return mine.order_by(*order).limit(rows)

    return Shaped(("images.plain", wanted.everything, *wanted.sort), build, values)


_COMPARE: dict[str, Any] = {
    "eq": lambda column, value: column.is_(None) if value is None else column == value,
    "ne": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "le": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "ge": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
}


def _visible(wanted: Wanted) -> Any:
    own = images.c.owner == wanted.project_id
    shared = sa.and_(images.c.visibility == "shared", images.c.id.in_(wanted.shared_ids))
    match wanted.visibility:
        case "public" | "community":
            return images.c.visibility == wanted.visibility
        case "private":
            private = images.c.visibility == "private"
            return private if wanted.everything else sa.and_(private, own)
        case "shared":
            offered = images.c.visibility == "shared"
            return offered if wanted.everything else sa.or_(sa.and_(offered, own), shared)
        case "all":
            open_to_all = images.c.visibility.in_(["public", "community"])
            return sa.true() if wanted.everything else sa.or_(own, open_to_all, shared)
    if wanted.everything:
        return sa.or_(images.c.visibility != "community", own)
    return sa.or_(own, images.c.visibility == "public", shared)


def _has_property(tx: Tx, name: str, value: str) -> Any:
    if tx.is_postgresql:
        return sa.func.jsonb_extract_path_text(sa.cast(images.c.properties, JSONB), name) == value
    each = sa.func.json_each(images.c.properties).table_valued("key", "value")
    return sa.exists(sa.select(each.c.key).where(each.c.key == name, each.c.value == value))


def _has_tag(tx: Tx, tag: str) -> Any:
    if tx.is_postgresql:
        return sa.func.jsonb_exists(sa.cast(images.c.tags, JSONB), tag)
    each = sa.func.json_each(images.c.tags).table_valued("value")
    return sa.exists(sa.select(each.c.value).where(each.c.value == tag))


def _after(wanted: Wanted, marker: Image) -> Any:
    """What comes after the marker's place in the order."""
    branches: list[Any] = []
    same: list[Any] = []
    for key, descending in wanted.sort:
        column, value = SORT_KEYS[key], _sort_value(marker, key)
        branches.append(sa.and_(*same, column < value if descending else column > value))
        same.append(column == value)
    return sa.or_(*branches)


def _sort_value(image: Image, key: str) -> Any:
    value = getattr(image, key)
    return (-1 if key == "size" else "") if value is None else value
