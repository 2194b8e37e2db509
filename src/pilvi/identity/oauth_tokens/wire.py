from typing import Annotated, Any

from pilvi.identity.oauth_tokens.model import OAuthToken
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, From, Schema, View
from pilvi.kernel.wire import Name as OnWire

_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
Roles = Annotated[
    list[dict[str, Any]],
    Schema(
        {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": {"id": _TEXT, "name": _TEXT},
                "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
                "additionalProperties": False,
            },
        }
    ),
]


class Authorize(Body):
    roles: Roles


def _links(token: OAuthToken, ctx: Context) -> dict[str, str]:
    url = f"{ctx.base_url}/v3/users/{token.user_id}/OS-OAUTH1/access_tokens/{token.id}"
    return {"self": url, "roles": f"{url}/roles"}


class AccessTokenView(View, root="access_token", plural="access_tokens"):
    id: str
    consumer_id: str
    project_id: str
    authorizing_user_id: Annotated[str, From(lambda t: t.user_id)]
    expires_at: Annotated[str, From(lambda t: clock.timestamp(t.expires_at))]
    its_links: Annotated[dict[str, str], OnWire("links"), From(_links)]
