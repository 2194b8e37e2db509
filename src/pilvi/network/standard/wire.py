"""Fields that every body and view of the network shares."""

from typing import Annotated, Any

from pilvi.kernel import clock
from pilvi.kernel.wire import From, Length, Lenient, Pattern
from pilvi.network.standard.model import Standard, tags_of

Text = Annotated[str, Length(0, 255)]
Truth = Annotated[bool, Lenient()]
Project = Annotated[str | None, Length(1, 64)]
Uuid = Annotated[str, Pattern("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


def _created(o: Standard) -> str:
    return clock.seconds(o.created_at)


def _updated(o: Standard) -> str:
    return clock.seconds(o.updated_at)


def _tags(o: Standard) -> list[str]:
    return tags_of(o.tags) if o.tags else []


def _project(o: Any) -> str:
    return str(o.project_id)


def _revision(o: Standard) -> int:
    return o.revision


CreatedAt = Annotated[str, From(_created)]
UpdatedAt = Annotated[str, From(_updated)]
Revision = Annotated[int, From(_revision)]
Tags = Annotated[list[str], From(_tags)]
TenantId = Annotated[str, From(_project)]
