"""The JSON schemas of the image API, which clients load first; creation is checked by the same data."""

from typing import Any, Final

from pilvi.image.images.model import CONTAINER_FORMATS, DISK_FORMATS, Visibility

UUID: Final = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
LARGEST: Final = 2**31 - 1


def _text(description: str, most: int | None = None, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": description, **more}
    return schema if most is None else schema | {"maxLength": most}


def _maybe(description: str, most: int | None = None, **more: Any) -> dict[str, Any]:
    return _text(description, most, **more) | {"type": ["null", "string"]}


def _shown(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"readOnly": True}


_COUNT: Final = {"type": "integer", "minimum": 0, "maximum": LARGEST}

IMAGE_PROPERTIES: Final[dict[str, Any]] = {
    "id": _text("An identifier of the image", pattern=UUID),
    "name": _maybe("What people call the image", 255),
    "status": _shown(
        _text(
            "Where the image is in its life",
            enum=[
                "queued",
                "saving",
                "active",
                "killed",
                "deleted",
                "uploading",
                "importing",
                "pending_delete",
                "deactivated",
            ],
        )
    ),
    "visibility": _text("Who may use the image", enum=sorted(v.value for v in Visibility)),
    "protected": {"type": "boolean", "description": "The image cannot be deleted while this is true."},
    "os_hidden": {"type": "boolean", "description": "The image is left out of lists unless they ask for it."},
    "checksum": _shown(_maybe("MD5 of the bytes", 32)),
    "os_hash_algo": _shown(_maybe("By which algorithm os_hash_value was computed", 64)),
    "os_hash_value": _shown(_maybe("Digest of the bytes, in hexadecimal", 128)),
    "owner": _maybe("The project that the image belongs to", 255),
    "size": _shown({"type": ["null", "integer"], "description": "Bytes of the image file"}),
    "virtual_size": _shown({"type": ["null", "integer"], "description": "Bytes of the disk that the image describes"}),
    "container_format": _maybe("What the disk is wrapped in", enum=[None, *CONTAINER_FORMATS]),
    "disk_format": _maybe("Format of the disk", enum=[None, *DISK_FORMATS]),
    "created_at": _shown(_text("When the image was registered")),
    "updated_at": _shown(_text("When the image was changed last")),
    "tags": {
        "type": "array",
        "items": {"type": "string", "maxLength": 255},
        "description": "Words to find the image by",
    },
    "direct_url": _shown(_text("Where the bytes are in the store")),
    "min_ram": _COUNT | {"description": "MiB of memory that a server needs for this image"},
    "min_disk": _COUNT | {"description": "GiB of disk that a server needs for this image"},
    "self": _shown(_text("The image's own address")),
    "file": _shown(_text("The address of the bytes")),
    "stores": _shown(_text("Stores that hold the bytes")),
    "schema": _shown(_text("The address of this schema")),
    "locations": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "url": {"type": "string", "maxLength": 255},
                "metadata": {"type": "object"},
                "validation_data": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "checksum": {"type": "string", "minLength": 32, "maxLength": 32},
                        "os_hash_algo": {"type": "string", "maxLength": 64},
                        "os_hash_value": {"type": "string", "maxLength": 128},
                    },
                    "required": ["os_hash_algo", "os_hash_value"],
                },
            },
            "required": ["url", "metadata"],
        },
        "description": "Addresses of the bytes",
    },
    # Free properties that have a meaning everywhere.
    "kernel_id": _maybe("Image of the kernel to start with", pattern=UUID, is_base=False),
    "ramdisk_id": _maybe("Image of the initial RAM disk to start with", pattern=UUID, is_base=False),
    "instance_uuid": _text("The server that the image was taken of", is_base=False),
    "architecture": _text("Processor architecture that the system in the image needs", is_base=False),
    "os_distro": _text("Short name of the operating system's distribution", is_base=False),
    "os_version": _text("The distribution's own version", is_base=False),
    "description": _text("What the image is, for people", is_base=False),
    "hypervisor_type": _text("Hypervisor that the image was made for", is_base=False),
}

IMAGE: Final[dict[str, Any]] = {
    "name": "image",
    "properties": IMAGE_PROPERTIES,
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}

MEMBER: Final[dict[str, Any]] = {
    "name": "member",
    "properties": {
        "member_id": _text("The project that the image is shared with"),
        "image_id": _text("The shared image", pattern=UUID),
        "created_at": _text("When it was shared"),
        "updated_at": _text("When this was changed last"),
        "status": _text("What the member makes of it", enum=["pending", "accepted", "rejected"]),
        "schema": {"readOnly": True, "type": "string"},
    },
}

TASK: Final[dict[str, Any]] = {
    "name": "task",
    "properties": {
        "id": _text("An identifier of the task", pattern=UUID),
        "type": _text("What the task does", enum=["import", "api_image_import", "location_import"]),
        "status": _text("How far it is", enum=["pending", "processing", "success", "failure"]),
        "input": {"type": ["null", "object"], "description": "What it was asked to do"},
        "result": {"type": ["null", "object"], "description": "What came of it"},
        "owner": _text("The project that asked"),
        "message": _text("What went wrong, or progress, for people"),
        "image_id": _maybe("The image that it works on"),
        "request_id": _maybe("The request that began it"),
        "user_id": _maybe("Who asked"),
        "expires_at": _maybe("When it will be forgotten"),
        "created_at": _text("When it was asked for"),
        "updated_at": _text("When it was changed last"),
        "self": {"readOnly": True, "type": "string"},
        "schema": {"readOnly": True, "type": "string"},
    },
}


def collection(name: str, item: dict[str, Any], *, paged: bool = True) -> dict[str, Any]:
    """The schema of a list, as this API shapes them all."""
    properties: dict[str, Any] = {name: {"type": "array", "items": item}}
    links = [{"rel": "describedby", "href": "{schema}"}]
    if paged:
        properties |= {key: {"type": "string"} for key in ("first", "next")}
        links = [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}, *links]
    return {"name": name, "properties": properties | {"schema": {"type": "string"}}, "links": links}


SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "image": IMAGE,
    "images": collection("images", IMAGE),
    "member": MEMBER,
    "members": collection("members", MEMBER, paged=False),
    "task": TASK,
    "tasks": collection("tasks", {k: v for k, v in TASK.items() if k != "name"}),
}
"""By the name in the address."""
