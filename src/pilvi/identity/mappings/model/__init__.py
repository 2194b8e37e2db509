"""A mapping and what its rules must look like."""

from dataclasses import dataclass
from typing import Any

_TEXTS = {"type": "array", "items": {"type": "string", "maxLength": 1024}, "maxItems": 256}
_REMOTE = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "minLength": 1, "maxLength": 255},
        "any_one_of": _TEXTS,
        "not_any_of": _TEXTS,
        "whitelist": _TEXTS,
        "blacklist": _TEXTS,
        "regex": {"type": "boolean"},
    },
    "required": ["type"],
    "additionalProperties": False,
}
_LOCAL = {
    "type": "object",
    "properties": {
        "user": {"type": "object"},
        "group": {"type": "object"},
        "groups": {"type": ["string", "array"]},
        "group_ids": {"type": ["string", "array"]},
        "domain": {"type": "object"},
        "projects": {"type": "array", "maxItems": 256},
    },
    "additionalProperties": False,
}
RULES = {
    "type": "array",
    "minItems": 1,
    "maxItems": 256,
    "items": {
        "type": "object",
        "properties": {
            "local": {"type": "array", "items": _LOCAL, "minItems": 1, "maxItems": 64},
            "remote": {"type": "array", "items": _REMOTE, "minItems": 1, "maxItems": 64},
        },
        "required": ["local", "remote"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True, slots=True)
class Mapping:
    id: str
    schema_version: str
    rules: list[dict[str, Any]]
