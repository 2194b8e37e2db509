"""What clients send and see of images. Free properties stand beside the fixed ones, so bodies are checked by schema."""

from typing import Any

import jsonschema_rs

from pilvi.image.image_locations import model as locations
from pilvi.image.images.model import Change, Image, Status, refuse_reserved
from pilvi.image.schemas.model import IMAGE
from pilvi.kernel import clock
from pilvi.kernel.errors import BadRequest, Forbidden
from pilvi.kernel.wire import explain

JSON_PATCH = "application/openstack-images-v2.1-json-patch"
OLD_JSON_PATCH = "application/openstack-images-v2.0-json-patch"
CHANGES_LIMIT = 1000
NAME_LIMIT = 255
VALUE_LIMIT = 65535

CREATE: dict[str, Any] = {"type": "object", "additionalProperties": IMAGE["additionalProperties"]} | {
    "properties": {
        name: schema
        for name, schema in IMAGE["properties"].items()
        if not schema.get("readOnly") and name != "locations"
    }
}
"""What is worth sending; what only we say is refused by name."""
_POINTER = {"type": "string", "pattern": "^/.", "maxLength": 510}
_VERBS = ("add", "replace", "remove")
PATCH: dict[str, Any] = {
    "type": "array",
    "maxItems": CHANGES_LIMIT,
    "items": {
        "anyOf": [
            {
                "type": "object",
                "required": ["op", "path"],
                "properties": {"op": {"enum": list(_VERBS)}, "path": _POINTER, "value": {}},
            },
            *({"type": "object", "required": [v], "properties": {v: _POINTER, "value": {}}} for v in _VERBS),
        ]
    },
    "description": f"`op` and `path` with {JSON_PATCH}; the verb as a key with {OLD_JSON_PATCH}.",
}

_VALIDATOR = jsonschema_rs.Draft202012Validator({"type": "object"} | IMAGE)


def parse_create(raw: Any) -> dict[str, Any]:
    """The attributes and properties of a new image."""
    if not isinstance(raw, dict):
        raise BadRequest("The request body must be a JSON object.")
    refuse_reserved({k: v for k, v in raw.items() if k != "locations"})
    if "locations" in raw:
        raise Forbidden("Attribute 'locations' is read-only.")
    _check(raw)
    return raw


def _check(values: dict[str, Any]) -> None:
    if not _VALIDATOR.is_valid(values):
        raise BadRequest(f"Provided object does not match schema 'image': {explain(_VALIDATOR, values)}")
    for name, value in values.items():
        if len(name) > NAME_LIMIT or not name or "\0" in name:
            raise BadRequest(f"A property's name has 1 to {NAME_LIMIT} characters; {name[:80]!r} does not fit.")
        if isinstance(value, str) and ("\0" in value or len(value) > VALUE_LIMIT):
            raise BadRequest(f"The value of {name} must not have more than {VALUE_LIMIT} characters or a NUL.")
        if isinstance(value, list) and any("\0" in item for item in value if isinstance(item, str)):
            raise BadRequest(f"The value of {name} must not have a NUL.")


def parse_patch(raw: Any, media_type: str) -> list[Change]:
    """A JSON patch in one of its two forms."""
    if not isinstance(raw, list):
        raise BadRequest("Request body must be a JSON array of operation objects.")
    if len(raw) > CHANGES_LIMIT:
        raise BadRequest(f"A patch may have {CHANGES_LIMIT} operations.")
    is_old = media_type.startswith(OLD_JSON_PATCH)
    changes = [_old_operation(entry) if is_old else _operation(entry) for entry in raw]
    for change in changes:
        if change.op != "remove" and change.name != "locations":
            refuse_reserved({change.name: None})
            _check({change.name: change.value})
    return changes


def _operation(entry: Any) -> Change:
    if not isinstance(entry, dict):
        raise BadRequest("Operations must be JSON objects.")
    op = entry.get("op")
    if op not in ("add", "replace", "remove"):
        raise BadRequest(f"Unable to find a known operation in {str(op)[:40]!r}: 'op' must be one of the following "
                         "values: 'add', 'remove', 'replace'.")  # fmt: skip
    return _change(entry, op, entry.get("path"), old_form=False)


def _old_operation(entry: Any) -> Change:
    ops = [op for op in ("add", "replace", "remove") if isinstance(entry, dict) and op in entry]
    if len(ops) != 1:
        raise BadRequest("Operation objects must contain exactly one member named 'add', 'remove', or 'replace'.")
    return _change(entry, ops[0], entry[ops[0]], old_form=True)


def _change(entry: dict[str, Any], op: str, path: Any, *, old_form: bool) -> Change:
    if op != "remove" and "value" not in entry:
        raise BadRequest(f'Operation "{op}" requires a member named "value".')
    name, rest = _pointer(path)
    return Change(op, name, entry.get("value"), rest, old_form)


def _pointer(path: Any) -> tuple[str, tuple[str, ...]]:
    """`/name`; only locations have something below."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) > NAME_LIMIT * 2:
        raise BadRequest("Pointer must be a string that starts with a slash, e.g. '/key'.")
    first, *rest = path[1:].split("/")
    if "~" in first.replace("~0", "").replace("~1", ""):
        raise BadRequest(f"Pointer `{path}` contains `~` not part of a recognized escape sequence.")
    name = first.replace("~1", "/").replace("~0", "~").strip()
    if not name or (rest and name != "locations") or len(rest) > 1:
        raise BadRequest(f"Invalid JSON pointer for this resource: '{path}', e.g. '/key'.")
    return name, tuple(rest)


def _lost_location(image: Image) -> bool:
    """A location whose bytes were not the expected ones. The image forgot it; clients are used to see its store."""
    return image.status == Status.QUEUED and image.properties.get("os_glance_failed_import") == locations.WEB_STORE


def render(image: Image, *, with_locations: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        **image.properties,
        "id": image.id, "name": image.name, "status": image.status, "visibility": image.visibility,
        "protected": image.protected, "os_hidden": image.os_hidden, "owner": image.owner,
        "disk_format": image.disk_format, "container_format": image.container_format, "size": image.size,
        "virtual_size": image.virtual_size, "min_disk": image.min_disk, "min_ram": image.min_ram,
        "checksum": image.checksum, "os_hash_algo": image.os_hash_algo, "os_hash_value": image.os_hash_value,
        "created_at": clock.seconds(image.created_at), "updated_at": clock.seconds(image.updated_at),
        "tags": image.tags, "self": f"/v2/images/{image.id}", "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }  # fmt: skip
    if image.locations or _lost_location(image):
        shown["stores"] = ",".join(image.stores) or locations.WEB_STORE
    if with_locations:
        shown["locations"] = locations.shown(image)
    return shown
