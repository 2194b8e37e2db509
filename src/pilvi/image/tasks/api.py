"""/v2/tasks: begun by administrators; the list of an image's own tasks is beside its import."""

from typing import Any

from pilvi.image.images.api import page_links
from pilvi.image.imports import service as imports
from pilvi.image.imports.model import ImportRules
from pilvi.image.tasks import policy, service
from pilvi.image.tasks.model import Task
from pilvi.image.tasks.wire import ShortTaskView, TaskCreate, TaskView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes


def routes_for(rules: ImportRules) -> Routes:
    routes = Routes("image", "/tasks")

    @routes.get(rule=policy.ACCESS)
    def list_(ctx: Context, tx: Tx, query: Query) -> dict[str, Any]:
        page = service.list_(ctx, tx, query)
        render = ShortTaskView.renderer(ctx)
        marker = page.items[-1].id if page.more and page.items else None
        return {"tasks": [render(t, ctx) for t in page.items]} | page_links(query, marker, "/v2/tasks", "tasks")

    @routes.post(rule=policy.ACCESS, body=TaskCreate)
    def create(ctx: Context, tx: Tx, body: TaskCreate) -> Answer:
        policy.ACCESS.check(ctx)
        task = imports.start_task(ctx, tx, body.type, body.input or {}, rules)
        return Answer(201, TaskView.renderer(ctx)(task, ctx), {"Location": f"{ctx.base_url}/v2/tasks/{task.id}"})

    @routes.get("/{id}", rule=policy.ACCESS, view=TaskView)
    def show(ctx: Context, tx: Tx, id: str) -> Task:
        return service.show(ctx, tx, id)

    return routes
