from typing import Any, Final

_TEXT: Final = {"type": "string", "maxLength": 4096}


def _one_of(*keys: str, **more: Any) -> dict[str, Any]:
    """An object with one of these keys; by name it may need a domain, too."""
    return {"type": "object", "properties": {**dict.fromkeys(keys, _TEXT), **more}}


_DOMAIN: Final = _one_of("id", "name")
_NAMED: Final = _one_of("id", "name", domain=_DOMAIN)


def _user(secret: str) -> dict[str, Any]:
    user = _one_of("id", "name", secret, domain=_DOMAIN) | {"required": [secret]}
    return {"type": "object", "required": ["user"], "properties": {"user": user}}


_IDENTITY: Final = {
    "type": "object",
    "required": ["methods"],
    "properties": {
        "methods": {
            "type": "array",
            "minItems": 1,
            "maxItems": 9,
            "items": {"enum": ["password", "token", "application_credential", "totp"]},
            "description": "What proves who asks; each method that is named has its own member beside this list.",
        },
        "password": _user("password"),
        "totp": _user("passcode"),
        "token": {"type": "object", "required": ["id"], "properties": {"id": _TEXT}},
        "application_credential": _one_of("id", "name", "secret", user=_NAMED) | {"required": ["secret"]},
    },
}
_SCOPE: Final = {
    "description": "One of these. Without a scope the user's default project counts, if there is one.",
    "anyOf": [
        {"enum": ["unscoped"]},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                "project": _NAMED,
                "domain": _DOMAIN,
                "system": {"type": "object", "required": ["all"], "properties": {"all": {"const": True}}},
                "OS-TRUST:trust": {"type": "object", "required": ["id"], "properties": {"id": _TEXT}},
                "unscoped": {"type": "object"},
            },
        },
    ],
}
LOGIN: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["auth"],
    "properties": {
        "auth": {"type": "object", "required": ["identity"], "properties": {"identity": _IDENTITY, "scope": _SCOPE}}
    },
}
"""The body of POST /auth/tokens, for readers and fuzzers; `tokens/model.py: parse` says what is wrong in words."""
