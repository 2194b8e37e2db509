from typing import Annotated

from pilvi.identity.wire import IdentityView, NullableId, ShortName, self_link
from pilvi.kernel.wire import Body, From
from pilvi.kernel.wire import Name as OnWire


class GroupCreate(Body, root="group", extra=True):
    name: ShortName
    domain_id: NullableId = None
    description: str | None = ""


class GroupUpdate(Body, root="group", extra=True):
    name: ShortName = ""
    domain_id: NullableId = None
    description: str | None = ""


class GroupView(IdentityView, root="group", plural="groups"):
    id: str
    name: str
    domain_id: str
    description: str
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("groups"))]
