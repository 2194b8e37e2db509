"""Bodies and views of projects."""

from typing import Annotated, Any

from pilvi.identity.projects.model import TAGS_LIMIT, Project
from pilvi.identity.wire import IdentityView, Immutable, NullableId, self_link
from pilvi.kernel.wire import Body, From, Items, Length, Pattern
from pilvi.kernel.wire import Name as OnWire

Tag = Annotated[str, Length(1, 255), Pattern(r"^[^,/]*$")]
ProjectName = Annotated[str, Length(1, 64), Pattern(r"\S")]
Tags = Annotated[list[Tag], Items(TAGS_LIMIT, unique=True)]


class ProjectCreate(Body, root="project", extra=True):
    name: ProjectName
    domain_id: NullableId = None
    parent_id: NullableId = None
    is_domain: bool = False
    enabled: bool = True
    description: str | None = ""
    tags: Tags = []
    options: Immutable = None


class ProjectUpdate(Body, root="project", extra=True):
    name: ProjectName = ""
    domain_id: NullableId = None
    parent_id: NullableId = None
    is_domain: bool = False
    enabled: bool = True
    description: str | None = ""
    tags: Tags = []
    options: Immutable = None


class TagsReplace(Body):
    tags: Tags


class ProjectView(IdentityView, root="project", plural="projects"):
    id: str
    name: str
    domain_id: Annotated[str | None, From(lambda p: p.domain_id or None)]
    parent_id: Annotated[str | None, From(lambda p: p.parent_id or None)]
    is_domain: bool
    enabled: bool
    description: str
    tags: list[str]
    options: dict[str, Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("projects"))]


def project_dict(project: Project, ctx: Any) -> dict[str, Any]:
    """One project as the view shows it, for nested documents."""
    return ProjectView.renderer(ctx)(project, ctx)
