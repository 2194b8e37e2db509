"""How each API says that something went wrong, as JSON Schema."""

from typing import Any, Final

TEXT: Final = {"type": "string"}
CODE: Final = {"type": "integer"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


UNAUTHORIZED: Final = _object(error=_object(code={"const": 401}, title=TEXT, message=TEXT))
"""The same before every service: the token was refused, or there was none."""

_COMPUTE: Final = {
    "type": "object",
    "description": "One member, named after the kind of fault.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": _object(code=CODE, message=TEXT),
}
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "identity": _object(error=_object(code=CODE, title=TEXT, message=TEXT)),
    "image": _object(message=TEXT, code=TEXT, title=TEXT),
    "network": _object(NeutronError=_object(type=TEXT, message=TEXT, detail=TEXT)),
    "compute": _COMPUTE,
    "placement": _object(
        errors={
            "type": "array",
            "items": _object(status=CODE, title=TEXT, detail=TEXT, request_id=TEXT)
            | {"description": "With a `code` from microversion 1.23 on."},
        }
    ),
}
