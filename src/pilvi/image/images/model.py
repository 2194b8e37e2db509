"""An image: fixed attributes, free properties, and where its bytes are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from pilvi.kernel.errors import Conflict, Forbidden, TooLarge


class Status(StrEnum):
    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Visibility(StrEnum):
    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


DISK_FORMATS: Final = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")
CONTAINER_FORMATS: Final = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")

READ_ONLY: Final = frozenset(
    {
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file",
        "schema", "os_hash_algo", "os_hash_value", "stores",
    }
)  # fmt: skip
RESERVED: Final = frozenset({"location", "deleted", "deleted_at"})
RESERVED_PREFIX: Final = "os_glance_"
WRITABLE: Final = frozenset(
    {
        "name", "visibility", "protected", "os_hidden", "owner", "container_format", "disk_format", "min_disk",
        "min_ram", "tags",
    }
)  # fmt: skip
ONLY_WHILE_QUEUED: Final = frozenset({"container_format", "disk_format"})
PROPERTIES_LIMIT: Final = 128
TAGS_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    name: str | None
    status: str
    visibility: str
    protected: bool
    os_hidden: bool
    owner: str | None
    disk_format: str | None
    container_format: str | None
    size: int | None
    virtual_size: int | None
    min_disk: int
    min_ram: int
    checksum: str | None
    os_hash_algo: str | None
    os_hash_value: str | None
    created_at: str
    updated_at: str
    tags: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    locations: list[dict[str, Any]] = field(default_factory=list)
    """Where the bytes are: `{"store": …}` each, and `url` and `metadata` where they are not in a store of ours."""
    upload_id: str = ""
    """Which transfer is filling the image now; what others send is refused."""
    holder: str = ""
    """Which run of which host's process does that."""
    busy_until: float = 0.0
    """The transfer proves before this moment that it lives, or it counts as dead."""

    @property
    def has_data(self) -> bool:
        return bool(self.locations)

    @property
    def stores(self) -> list[str]:
        return [place["store"] for place in self.locations]


def refuse_reserved(names: Mapping[str, Any]) -> None:
    """What a client may never set."""
    for name in names:
        if name in RESERVED or name.startswith(RESERVED_PREFIX):
            raise Forbidden(f"Attribute '{name}' is reserved.")
        if name in READ_ONLY:
            raise Forbidden(f"Attribute '{name}' is read-only.")


def check(image: Image) -> None:
    """What no single attribute shows."""
    free = sum(1 for name in image.properties if not name.startswith(RESERVED_PREFIX))
    if free > PROPERTIES_LIMIT:
        raise TooLarge(f"The limit has been exceeded on the number of allowed image properties. Attempted: {free}, "
                       f"Maximum: {PROPERTIES_LIMIT}")  # fmt: skip
    if len(image.tags) > TAGS_LIMIT:
        raise TooLarge(f"The limit has been exceeded on the number of allowed image tags. Attempted: "
                       f"{len(image.tags)}, Maximum: {TAGS_LIMIT}")  # fmt: skip


# ---- changes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a JSON patch."""

    op: str
    name: str
    value: Any = None
    rest: tuple[str, ...] = ()
    """What follows the name in the path; only locations have that."""
    old_form: bool = False
    """The media type of version 2.0, where `add` means that the property must be new."""


def apply(image: Image, changes: list[Change]) -> Image:
    """The image after all changes, which `check` must look at in the end. Raises at the first that cannot be."""
    for change in changes:
        image = _STEPS[change.op](image, change)
    return image


def _writable(image: Image, name: str) -> None:
    refuse_reserved({name: None})
    if name == "id":
        raise Forbidden("Attribute 'id' is read-only.")
    if name in ONLY_WHILE_QUEUED and image.status != Status.QUEUED:
        raise Forbidden(f"Attribute {name} can be only replaced for a queued image.")


def _set(image: Image, name: str, value: Any) -> Image:
    if name == "tags":
        return replace(image, tags=list(dict.fromkeys(value)))
    if name in WRITABLE:
        return replace(image, **{name: value})
    return replace(image, properties={**image.properties, name: value})


def _add(image: Image, change: Change) -> Image:
    _writable(image, change.name)
    there = change.name in WRITABLE or change.name in image.properties
    if there and change.old_form:
        raise Conflict(f"Property {change.name} already present.")
    return _set(image, change.name, change.value)


def _replace(image: Image, change: Change) -> Image:
    _writable(image, change.name)
    if change.name not in WRITABLE and change.name not in image.properties:
        raise Conflict(f"Property {change.name} does not exist.")
    return _set(image, change.name, change.value)


def _remove(image: Image, change: Change) -> Image:
    _writable(image, change.name)
    if change.name in WRITABLE:
        raise Forbidden(f"Property {change.name} may not be removed.")
    if change.name not in image.properties:
        raise Conflict(f"Property {change.name} does not exist.")
    return replace(image, properties={k: v for k, v in image.properties.items() if k != change.name})


_STEPS: Final = {"add": _add, "replace": _replace, "remove": _remove}
