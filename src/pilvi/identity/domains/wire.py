from typing import Annotated, Any

from pilvi.identity.projects.wire import ProjectName, Tags
from pilvi.identity.wire import Id, IdentityView, Immutable, self_link
from pilvi.kernel.wire import Body, From
from pilvi.kernel.wire import Name as OnWire


class DomainCreate(Body, root="domain", extra=True):
    name: ProjectName
    explicit_domain_id: Id | None = None
    enabled: bool = True
    description: str | None = ""
    tags: Tags = []
    options: Immutable = None


class DomainUpdate(Body, root="domain", extra=True):
    name: ProjectName = ""
    enabled: bool = True
    description: str | None = ""
    tags: Tags = []
    options: Immutable = None


class DomainView(IdentityView, root="domain", plural="domains"):
    id: str
    name: str
    enabled: bool
    description: str
    tags: list[str]
    options: dict[str, Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("domains"))]
