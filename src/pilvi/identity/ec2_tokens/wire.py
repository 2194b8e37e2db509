from typing import Any, Final

_TEXT: Final = {"type": "string"}
_MAP: Final = {"type": "object", "additionalProperties": _TEXT}
_SIGNED: Final = {
    "type": "object",
    "required": ["access", "signature"],
    "properties": {
        **dict.fromkeys(("access", "signature", "verb", "host", "path", "body_hash"), _TEXT),
        "params": _MAP,
        "headers": _MAP,
    },
}
EC2: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"credentials": _SIGNED, "ec2Credentials": _SIGNED},
    "anyOf": [{"required": ["credentials"]}, {"required": ["ec2Credentials"]}],
}
"""A request that somebody signed, as the service that received it describes it; `model.py: read` checks it."""
S3: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["credentials"],
    "properties": {
        "credentials": {
            "type": "object",
            "required": ["access", "token", "signature"],
            "properties": {key: {"type": "string", "minLength": 1} for key in ("access", "token", "signature")},
        }
    },
}
