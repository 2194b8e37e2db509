"""/v2/images/{id}/import and the tasks that come of it."""

from typing import Any

from pilvi.image.imports import policy, service
from pilvi.image.imports.model import COPY, ImportRules, parse
from pilvi.image.imports.wire import IMPORT
from pilvi.image.tasks.wire import ImageTaskView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes


def routes_for(rules: ImportRules) -> Routes:
    routes = Routes("image", "/images/{image_id}")

    @routes.post("/import", rule=None, raw=True, shape=IMPORT)
    def start(ctx: Context, tx: Tx, image_id: str, body: Any) -> Answer:
        request = parse(body, rules)
        service.start(ctx, tx, image_id, request, rules)
        # The service checks one of two rules, by the method; this makes sure that it was one of them.
        assert (policy.COPY if request.method == COPY else policy.UPLOAD).name in ctx.checked
        return Answer(202)

    @routes.get("/tasks", rule=policy.GET)
    def list_(ctx: Context, tx: Tx, image_id: str) -> dict[str, Any]:
        render = ImageTaskView.renderer(ctx)
        return {"tasks": [render(task, ctx) for task in service.tasks_of(ctx, tx, image_id)]}

    return routes
