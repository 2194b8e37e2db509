from typing import Annotated, Any

from pilvi.identity.wire import Id, IdentityView, NullableId, self_link
from pilvi.kernel.wire import Body, From, Length, Schema
from pilvi.kernel.wire import Name as OnWire

Blob = Annotated[Any, Schema({"type": ["string", "object"], "maxLength": 65535})]
Type = Annotated[str, Length(1, 255)]


class CredentialCreate(Body, root="credential", extra=True):
    blob: Blob
    type: Type
    user_id: Id | None = None
    project_id: NullableId = None


class CredentialUpdate(Body, root="credential", extra=True):
    blob: Blob = ""
    type: Type = ""
    user_id: Id | None = None
    project_id: NullableId = None


class CredentialView(IdentityView, root="credential", plural="credentials"):
    id: str
    type: str
    blob: str
    user_id: str
    project_id: str | None
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("credentials"))]


class Ec2Create(Body, extra=True):
    tenant_id: Id
