from typing import Any

ASKED: dict[str, Any] = {
    "type": "object",
    "properties": {"grant_type": {"enum": ["client_credentials"]}, "client_id": {"type": "string"}},
    "required": ["grant_type"],
}
"""The form, for the documents."""
