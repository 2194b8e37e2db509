"""Shape of a location that is added."""

from typing import Any, Final

LOCATION: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string", "minLength": 1, "maxLength": 2048, "description": "Where the bytes are."},
        "validation_data": {
            "type": "object",
            "additionalProperties": False,
            "description": "What the bytes must hash to, or the image stays queued.",
            "properties": {
                "os_hash_algo": {"enum": ["md5", "sha1", "sha256", "sha512"]},
                "os_hash_value": {"type": "string", "pattern": "^[0-9a-fA-F]+$", "maxLength": 128},
            },
            "dependentRequired": {"os_hash_algo": ["os_hash_value"], "os_hash_value": ["os_hash_algo"]},
        },
    },
}
