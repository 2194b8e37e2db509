"""Tasks: begun by imports, shown to people, ended by the loop that does them."""

from typing import Any

from pilvi.image.tasks import policy, store
from pilvi.image.tasks.model import EXPIRES_AFTER_S, Task, TaskStatus
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

PAGE, LARGEST_PAGE = 25, 1000


def add(ctx: Context, tx: Tx, *, type: str, image_id: str, owner: str, input: dict[str, Any]) -> Task:
    now = clock.timestamp()
    task = Task(
        id=ids.uuid(), type=type, status=TaskStatus.PENDING, owner=owner, user_id=ctx.user_id, image_id=image_id,
        request_id=ctx.request_id, input=input, result=None, message="", created_at=now, updated_at=now,
        expires_at=None,
    )  # fmt: skip
    store.drop_expired(tx, now)
    store.add(tx, task)
    return task


def find(tx: Tx, id: str) -> Task | None:
    return store.find(tx, id)


def of_image(tx: Tx, image_id: str) -> list[Task]:
    return store.of_image(tx, image_id)


def open_ids(tx: Tx) -> list[str]:
    return store.open_ids(tx)


def begin(tx: Tx, id: str) -> None:
    store.update(tx, id, status=TaskStatus.PROCESSING, updated_at=clock.timestamp())


def end(tx: Tx, id: str, *, problem: str = "", result: dict[str, Any] | None = None) -> None:
    """Over, with a problem or without."""
    status = TaskStatus.FAILURE if problem else TaskStatus.SUCCESS
    expires_at = clock.timestamp(clock.now() + EXPIRES_AFTER_S)
    store.update(
        tx,
        id,
        status=status,
        message=problem[:2000],
        result=result,
        updated_at=clock.timestamp(),
        expires_at=expires_at,
    )


def show(ctx: Context, tx: Tx, id: str) -> Task:
    policy.ACCESS.check(ctx)
    return _get(tx, id)


def _get(tx: Tx, id: str) -> Task:
    task = store.find(tx, id)
    if task is None:
        raise NotFound(f"No task found with ID {id}")
    return task


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Task]:
    policy.ACCESS.check(ctx)
    equal = {name: value for name in ("type", "status", "owner") if (value := query.get(name)) is not None}
    if query.get("sort_key", "created_at") not in ("created_at", "id"):
        raise BadRequest("Tasks are sorted by created_at.")
    direction = query.get("sort_dir", "desc")
    if direction not in ("asc", "desc"):
        raise BadRequest(f"Invalid sort direction: {direction}. It must be one of the following: asc, desc.")
    marker = query.get("marker")
    asked = query.number("limit", most=LARGEST_PAGE)
    limit = PAGE if asked is None else asked
    rows = store.list_(
        tx, equal=equal, marker=_get(tx, marker) if marker else None, ascending=direction == "asc", limit=limit
    )
    return Page(rows[:limit], more=len(rows) > limit)
