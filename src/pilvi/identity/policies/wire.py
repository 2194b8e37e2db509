from typing import Annotated

from pilvi.identity.wire import IdentityView, self_link
from pilvi.kernel.wire import Body, From, Length
from pilvi.kernel.wire import Name as OnWire

Blob = Annotated[str, Length(0, 65535)]
Type = Annotated[str, Length(0, 255)]


class PolicyCreate(Body, root="policy", extra=True):
    blob: Blob
    type: Type


class PolicyUpdate(Body, root="policy", extra=True):
    blob: Blob = ""
    type: Type = ""


class PolicyView(IdentityView, root="policy", plural="policies"):
    id: str
    type: str
    blob: str
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("policies"))]
