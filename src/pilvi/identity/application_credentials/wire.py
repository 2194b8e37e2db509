from typing import Annotated, Any

from pilvi.identity.application_credentials.model import AccessRule
from pilvi.identity.wire import Name
from pilvi.kernel.context import Context
from pilvi.kernel.wire import OMIT, Body, Format, From, Length, Schema, Sometimes, View
from pilvi.kernel.wire import Name as OnWire

_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
Roles = Annotated[
    list[Any],
    Schema(
        {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object", "properties": {"id": _TEXT, "name": _TEXT},
                "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
            },
        }
    ),
]  # fmt: skip
Rules = Annotated[
    list[Any] | None,
    Schema(
        {
            "type": ["array", "null"],
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": {
                    "id": {**_TEXT, "maxLength": 64},
                    "service": {**_TEXT, "maxLength": 64},
                    "path": {"type": "string", "pattern": "^/.*", "maxLength": 128},
                    "method": {"enum": ["POST", "GET", "HEAD", "PATCH", "PUT", "DELETE"]},
                },
                "anyOf": [{"required": ["id"]}, {"required": ["service", "path", "method"]}],
                "additionalProperties": False,
            },
        }
    ),
]


class CredentialCreate(Body, root="application_credential", extra=True):
    name: Name
    description: str | None = ""
    secret: Annotated[str | None, Length(1, 255)] = None
    roles: Roles = []
    expires_at: Annotated[str | None, Format("date-time")] = None
    unrestricted: bool | None = False
    access_rules: Rules = None


def _self(o: Any, ctx: Context) -> dict[str, str]:
    return {"self": f"{ctx.base_url}/v3/users/{o.user_id}/application_credentials/{o.id}"}


class CredentialView(View, root="application_credential", plural="application_credentials"):
    id: str
    name: str
    description: Annotated[str | None, From(lambda o: o.description or None)]
    user_id: str
    project_id: str
    roles: list[dict[str, Any]]
    expires_at: Annotated[str | None, From(lambda o: o.expires_at and o.expires_at.removesuffix("Z"))]
    unrestricted: bool
    system: Annotated[str | None, From(lambda o: None)]
    its_links: Annotated[dict[str, str], OnWire("links"), From(_self)]
    access_rules: Annotated[Any, From(lambda o: OMIT if o.access_rules is None else o.access_rules), Sometimes()]
    secret: Annotated[str, From(lambda o: o.secret or OMIT), Sometimes()]


def _rule_self(rule: AccessRule, ctx: Context) -> dict[str, str]:
    return {"self": f"{ctx.base_url}/v3/users/{rule.user_id}/access_rules/{rule.id}"}


class AccessRuleView(View, root="access_rule", plural="access_rules"):
    id: str
    service: str
    method: str
    path: str
    its_links: Annotated[dict[str, str], OnWire("links"), From(_rule_self)]
