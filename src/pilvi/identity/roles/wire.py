from typing import Annotated, Any

from pilvi.identity.roles.model import Role
from pilvi.identity.wire import IdentityView, Immutable, Name, NullableId, self_link
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, From
from pilvi.kernel.wire import Name as OnWire


class RoleCreate(Body, root="role", extra=True):
    name: Name
    domain_id: NullableId = None
    description: str | None = None
    options: Immutable = None


class RoleUpdate(Body, root="role", extra=True):
    name: Name = ""
    domain_id: NullableId = None
    description: str | None = None
    options: Immutable = None


class RoleView(IdentityView, root="role", plural="roles"):
    id: str
    name: str
    domain_id: Annotated[str | None, From(lambda r: r.domain_id or None)]
    description: Annotated[str | None, From(lambda r: r.description or None)]
    options: dict[str, Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("roles"))]


def reference(role: Role, ctx: Context) -> dict[str, Any]:
    """A role as implications show it."""
    return {"id": role.id, "name": role.name, "links": {"self": f"{ctx.base_url}/v3/roles/{role.id}"}}
