from typing import Any, Final

from pilvi.image.imports.model import COPY, DIRECT, GLANCE, WEB

_STORE: Final = {"type": "string"}
IMPORT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["method"],
    "properties": {
        "method": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"enum": [DIRECT, WEB, COPY, GLANCE]},
                "uri": {"type": "string", "description": f"For {WEB}: where the bytes are."},
                "glance_image_id": {"type": "string", "format": "uuid", "description": f"For {GLANCE}."},
                "glance_region": {"type": "string", "minLength": 1, "description": f"For {GLANCE}."},
                "glance_service_interface": {"type": "string", "description": f"For {GLANCE}."},
            },
        },
        "stores": {"type": "array", "items": _STORE},
        "all_stores": {"type": "boolean"},
        "all_stores_must_succeed": {"type": "boolean"},
    },
}
"""The body of an import, for readers and fuzzers; `model.py: parse` says what is wrong in words."""
