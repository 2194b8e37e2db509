"""Shapes of tasks."""

from typing import Annotated, Any

from pilvi.image.tasks.model import Task
from pilvi.kernel import clock
from pilvi.kernel.wire import OMIT, Body, From, Length, Name, Sometimes, View


class TaskCreate(Body):
    type: Annotated[str, Length(1, 32)]
    input: dict[str, Any] | None = None


def _created(task: Task) -> str:
    return clock.seconds(task.created_at)


def _updated(task: Task) -> str:
    return clock.seconds(task.updated_at)


def _expires(task: Task) -> Any:
    return clock.seconds(task.expires_at) if task.expires_at else OMIT


def _self(task: Task) -> str:
    return f"/v2/tasks/{task.id}"


def _schema(task: Task) -> str:
    return "/v2/schemas/task"


class ShortTaskView(View):
    """As lists show it."""

    id: str
    type: str
    status: str
    owner: str
    created_at: Annotated[str, From(_created)]
    updated_at: Annotated[str, From(_updated)]
    expires_at: Annotated[str, From(_expires), Sometimes()]
    self: Annotated[str, From(_self)]
    schema_path: Annotated[str, Name("schema"), From(_schema)]


class ImageTaskView(View):
    """As an image's own list shows it."""

    id: str
    type: str
    status: str
    owner: str
    input: dict[str, Any]
    result: dict[str, Any] | None
    message: str
    image_id: str
    request_id: str
    user_id: str
    created_at: Annotated[str, From(_created)]
    updated_at: Annotated[str, From(_updated)]
    expires_at: Annotated[str, From(_expires), Sometimes()]


class TaskView(ImageTaskView):
    self: Annotated[str, From(_self)]
    schema_path: Annotated[str, Name("schema"), From(_schema)]
