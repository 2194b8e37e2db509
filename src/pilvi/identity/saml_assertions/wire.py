"""The body of both requests, for the documents, and what is read from it."""

from typing import Any

from pilvi.kernel.errors import BadRequest

_ID = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
ASKED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "auth": {
            "type": "object",
            "properties": {
                "identity": {
                    "type": "object",
                    "properties": {
                        "methods": {"type": "array", "items": {"enum": ["token"]}, "minItems": 1, "maxItems": 1},
                        "token": _ID,
                    },
                    "required": ["methods", "token"],
                },
                "scope": {"type": "object", "properties": {"service_provider": _ID}, "required": ["service_provider"]},
            },
            "required": ["identity", "scope"],
        }
    },
    "required": ["auth"],
}


def read(body: Any) -> tuple[str, str]:
    """The token and the service provider. Raises BadRequest with the place that is wrong."""
    if _at(body, "auth", "identity", "methods") != ["token"]:
        raise BadRequest('auth.identity.methods must be ["token"]: an assertion is made of a token.')
    return _text(body, "auth", "identity", "token", "id"), _text(body, "auth", "scope", "service_provider", "id")


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(body: Any, *path: str) -> str:
    found = _at(body, *path)
    if not isinstance(found, str) or not found:
        raise BadRequest(f"Expecting to find {'.'.join(path)} in the request body: a text.")
    return found
