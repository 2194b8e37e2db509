from collections.abc import Sequence
from typing import Annotated, Any

from pilvi.identity.roles.model import Role
from pilvi.identity.roles.wire import RoleView
from pilvi.identity.trusts.model import Trust
from pilvi.identity.wire import Id, NullableId
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, Format, Range, Schema

Moment = Annotated[str | None, Format("date-time")]


_TEXT = {"type": ["string", "null"], "maxLength": 255}
Roles = Annotated[
    list[dict[str, Any]] | None,
    Schema(
        {
            "type": ["array", "null"],
            "maxItems": 100,
            "items": {"type": "object", "properties": {"id": _TEXT, "name": _TEXT}},
        }
    ),
]


class TrustCreate(Body, root="trust", extra=True):
    trustor_user_id: Id
    trustee_user_id: Id
    impersonation: bool
    project_id: NullableId = None
    roles: Roles = None
    expires_at: Moment = None
    remaining_uses: Annotated[int | None, Range(1, 2**31 - 1)] = None
    allow_redelegation: bool = False
    redelegation_count: Annotated[int | None, Range(0, 2**31 - 1)] = None


def shown(trust: Trust, roles: Sequence[Role] | None, ctx: Context) -> dict[str, Any]:
    """A trust; its roles come along when it is shown alone."""
    url = f"{ctx.base_url}/v3/OS-TRUST/trusts/{trust.id}"
    document: dict[str, Any] = dict(trust.extra) | {
        "id": trust.id,
        "trustor_user_id": trust.trustor_user_id,
        "trustee_user_id": trust.trustee_user_id,
        "project_id": trust.project_id,
        "impersonation": trust.impersonation,
        "expires_at": trust.expires_at,
        "deleted_at": None,
        "remaining_uses": trust.remaining_uses,
        "redelegated_trust_id": trust.redelegated_trust_id,
        "redelegation_count": trust.redelegation_count,
        "links": {"self": url},
    }
    if roles is not None:
        render = RoleView.renderer(ctx)
        document["roles"] = [render(role, ctx) for role in roles]
        document["roles_links"] = {"next": None, "self": f"{url}/roles", "previous": None}
    return document
