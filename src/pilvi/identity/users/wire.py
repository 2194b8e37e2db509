"""Bodies and views of users."""

from typing import Annotated, Any

from pilvi.identity import settings
from pilvi.identity.users.model import User, is_enabled
from pilvi.identity.wire import IdentityView, Name, NullableId, self_link
from pilvi.kernel import clock
from pilvi.kernel.wire import OMIT, Body, From, Length, Schema, Sometimes
from pilvi.kernel.wire import Name as OnWire

_FLAG = {"type": ["boolean", "null"]}
Options = Annotated[
    dict[str, Any] | None,
    Schema(
        {
            "type": "object",
            "properties": {
                "ignore_change_password_upon_first_use": _FLAG,
                "ignore_password_expiry": _FLAG,
                "ignore_lockout_failure_attempts": _FLAG,
                "ignore_user_inactivity": _FLAG,
                "lock_password": _FLAG,
                "multi_factor_auth_enabled": _FLAG,
                "multi_factor_auth_rules": {
                    "type": ["array", "null"],
                    "maxItems": 32,
                    "items": {
                        "type": "array", "minItems": 1, "maxItems": 16, "uniqueItems": True,
                        "items": {"type": "string", "maxLength": 64},
                    },
                },
            },
            "additionalProperties": False,
        }
    ),
]  # fmt: skip
_NAMED = {"type": "string", "minLength": 1, "maxLength": 64}
_THERE = {
    "type": "object", "required": ["protocol_id", "unique_id"], "additionalProperties": False,
    "properties": {"protocol_id": _NAMED, "unique_id": {**_NAMED, "maxLength": 255}},
}  # fmt: skip
Federated = Annotated[
    list[Any],
    Schema(
        {
            "type": "array",
            "maxItems": 32,
            "items": {
                "type": "object", "required": ["idp_id", "protocols"], "additionalProperties": False,
                "properties": {"idp_id": _NAMED, "protocols": {"type": "array", "maxItems": 8, "items": _THERE}},
            },
        }
    ),
]  # fmt: skip
Password = Annotated[str | None, Length(0, 4096)]


class UserCreate(Body, root="user", extra=True):
    name: Name
    domain_id: NullableId = None
    default_project_id: NullableId = None
    enabled: bool = True
    password: Password = None
    options: Options = None
    federated: Federated = []


class UserUpdate(Body, root="user", extra=True):
    name: Name = ""
    domain_id: NullableId = None
    default_project_id: NullableId = None
    enabled: bool = True
    password: Password = None
    options: Options = None
    federated: Federated = []


class PasswordChange(Body, root="user"):
    password: Annotated[str, Length(1, 4096)]
    original_password: Annotated[str, Length(1, 4096)]


def _default_project(user: User) -> Any:
    return OMIT if user.default_project_id is None else user.default_project_id


def _enabled(user: User) -> bool:
    return is_enabled(user, settings.current.passwords, clock.now())


class UserView(IdentityView, root="user", plural="users"):
    id: str
    name: str
    domain_id: str
    enabled: Annotated[bool, From(_enabled)]
    password_expires_at: str | None
    options: dict[str, Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("users"))]
    federated: Annotated[list[Any], From(lambda u: u.federated or OMIT), Sometimes()]
    default_project_id: Annotated[str, From(_default_project), Sometimes()]
