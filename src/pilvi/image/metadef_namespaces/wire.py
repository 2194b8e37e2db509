"""Shapes of metadata definitions. Definitions of properties are JSON schemas, kept as they come."""

from typing import Any, Final

import jsonschema_rs

from pilvi.image.metadef_entries.model import Entry
from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.image.metadef_resource_types.model import Association
from pilvi.kernel import clock
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.wire import explain

NAME: Final = {"type": "string", "minLength": 1, "maxLength": 80, "pattern": r"^[^\u0000/]*$"}
LONG_NAME: Final = {**NAME, "maxLength": 255}
TEXT: Final = {"type": ["string", "null"], "maxLength": 5000, "pattern": r"^[^\u0000]*$"}
SHOWN: Final = {name: {"type": ["string", "null"]} for name in ("self", "schema", "created_at", "updated_at")}
COUNT: Final = {"type": "integer", "minimum": 0}
TYPES: Final = {"type": "string", "enum": ["array", "boolean", "integer", "number", "object", "string", None]}

PROPERTY_FIELDS: Final[dict[str, Any]] = {
    "title": {"type": "string"}, "description": {"type": "string"},
    "operators": {"type": "array", "items": {"type": "string"}},
    "type": TYPES, "required": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "minimum": {"type": "number"}, "maximum": {"type": "number"}, "maxLength": COUNT, "minLength": COUNT,
    "pattern": {"type": "string"}, "enum": {"type": "array"}, "readonly": {"type": "boolean"}, "default": {},
    "items": {"type": "object"}, "maxItems": COUNT, "minItems": COUNT, "uniqueItems": {"type": "boolean"},
    "additionalItems": {"type": "boolean"},
}  # fmt: skip
PROPERTY_BODY: Final = {
    "type": "object", "properties": PROPERTY_FIELDS, "required": ["type", "title"], "additionalProperties": False
}  # fmt: skip
PROPERTY: Final = {
    "type": "object", "properties": {"name": LONG_NAME, **PROPERTY_FIELDS, **SHOWN}, "additionalProperties": False,
    "required": ["name", "type", "title"],
}  # fmt: skip
OBJECT: Final = {
    "type": "object", "required": ["name"], "additionalProperties": False,
    "properties": {
        "name": LONG_NAME, "description": TEXT, "required": {"type": "array", "items": {"type": "string"}},
        "properties": {"type": "object", "additionalProperties": PROPERTY_BODY}, **SHOWN,
    },
}  # fmt: skip
TAG: Final = {
    "type": "object", "required": ["name"], "additionalProperties": False, "properties": {"name": LONG_NAME, **SHOWN}
}  # fmt: skip
TAGS: Final = {
    "type": "object", "required": ["tags"], "properties": {"tags": {"type": "array", "items": TAG, "maxItems": 1000}}
}  # fmt: skip
RESOURCE_TYPE: Final = {
    "type": "object", "required": ["name"], "additionalProperties": False,
    "properties": {"name": NAME, "prefix": {**NAME, "minLength": 0, "type": ["string", "null"]},
                   "properties_target": {**NAME, "minLength": 0, "type": ["string", "null"]}, **SHOWN},
}  # fmt: skip
NAMESPACE: Final = {
    "type": "object", "required": ["namespace"], "additionalProperties": False,
    "properties": {
        "namespace": NAME, "display_name": {**TEXT, "maxLength": 80}, "description": TEXT,
        "visibility": {"type": "string", "enum": ["public", "private"]}, "protected": {"type": "boolean"},
        "owner": {"type": "string", "maxLength": 255},
        "resource_type_associations": {"type": "array", "items": RESOURCE_TYPE, "maxItems": 100},
        "properties": {"type": "object", "additionalProperties": PROPERTY_BODY, "maxProperties": 1000},
        "objects": {"type": "array", "items": OBJECT, "maxItems": 1000},
        "tags": {"type": "array", "items": TAG, "maxItems": 1000}, **SHOWN,
    },
}  # fmt: skip

_VALIDATORS: Final[dict[int, Any]] = {}


def checked(schema: dict[str, Any], raw: Any) -> dict[str, Any]:
    """The body, if it is what the schema says; without what only we say."""
    validator = _VALIDATORS.get(id(schema))
    if validator is None:
        validator = _VALIDATORS[id(schema)] = jsonschema_rs.Draft202012Validator(schema)
    if not validator.is_valid(raw):
        raise BadRequest(explain(validator, raw))
    return {name: value for name, value in raw.items() if name not in SHOWN}


# ---- views -------------------------------------------------------------------------------------------------------


def _times(record: Namespace | Entry | Association) -> dict[str, str]:
    return {"created_at": clock.seconds(record.created_at), "updated_at": clock.seconds(record.updated_at)}


def render_namespace(namespace: Namespace, associations: list[Association]) -> dict[str, Any]:
    optional = {"display_name": namespace.display_name, "description": namespace.description}
    types = [render_association(association) for association in associations]
    return {
        "namespace": namespace.namespace, **{k: v for k, v in optional.items() if v is not None},
        "visibility": namespace.visibility, "protected": namespace.protected, "owner": namespace.owner,
        **_times(namespace), "self": f"/v2/metadefs/namespaces/{namespace.namespace}",
        "schema": "/v2/schemas/metadefs/namespace", **({"resource_type_associations": types} if types else {}),
    }  # fmt: skip


def render_association(association: Association) -> dict[str, Any]:
    optional = {"prefix": association.prefix, "properties_target": association.properties_target}
    return {"name": association.name, **{k: v for k, v in optional.items() if v}, **_times(association)}


def render_object(namespace: Namespace, entry: Entry) -> dict[str, Any]:
    path = f"/v2/metadefs/namespaces/{namespace.namespace}/objects/{entry.name}"
    return {
        "name": entry.name, "required": [], "properties": {}, **entry.definition, **_times(entry), "self": path,
        "schema": "/v2/schemas/metadefs/object",
    }  # fmt: skip


def render_property(entry: Entry, prefix: str = "") -> dict[str, Any]:
    return {"name": prefix + entry.name, **entry.definition}


def render_tag(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, **_times(entry)}
