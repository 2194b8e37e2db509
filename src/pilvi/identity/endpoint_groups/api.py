"""/OS-EP-FILTER."""

from typing import Any

from pilvi.identity.endpoint_groups import policy, service
from pilvi.identity.endpoint_groups.model import EndpointGroup
from pilvi.identity.endpoint_groups.wire import EndpointGroupCreate, EndpointGroupUpdate, EndpointGroupView
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.endpoints.wire import EndpointView
from pilvi.identity.projects.model import Project
from pilvi.identity.projects.wire import ProjectView
from pilvi.identity.wire import changes_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/OS-EP-FILTER")


@routes.get("/endpoint_groups", rule=policy.LIST, view=EndpointGroupView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[EndpointGroup]:
    return service.list_all(ctx, tx, query)


@routes.post("/endpoint_groups", rule=policy.CREATE, body=EndpointGroupCreate, view=EndpointGroupView, status=201)
def create(ctx: Context, tx: Tx, body: EndpointGroupCreate) -> EndpointGroup:
    group = service.create(ctx, tx, EndpointGroup("", body.name, body.description or "", body.filters))
    ctx.about("endpoint_group", group.id, group.name)
    return group


@routes.get("/endpoint_groups/{id}", rule=policy.SHOW, view=EndpointGroupView)
def show(ctx: Context, tx: Tx, id: str) -> EndpointGroup:
    return service.show(ctx, tx, id)


@routes.patch("/endpoint_groups/{id}", rule=policy.UPDATE, body=EndpointGroupUpdate, view=EndpointGroupView)
def update(ctx: Context, tx: Tx, id: str, body: EndpointGroupUpdate) -> EndpointGroup:
    ctx.about("endpoint_group", id)
    changes = changes_of(body)
    changes.pop("extra", None)
    return service.update(ctx, tx, id, changes)


@routes.delete("/endpoint_groups/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("endpoint_group", id)
    service.delete(ctx, tx, id)


@routes.get("/endpoint_groups/{id}/projects", rule=policy.LIST_PROJECTS_OF_GROUP, view=ProjectView)
def projects_of(ctx: Context, tx: Tx, id: str) -> list[Project]:
    return service.projects_of(ctx, tx, id)


@routes.get("/endpoint_groups/{id}/endpoints", rule=policy.LIST_ENDPOINTS_OF_GROUP, view=EndpointView)
def endpoints_of(ctx: Context, tx: Tx, id: str) -> list[Endpoint]:
    return service.endpoints_of(ctx, tx, id)


@routes.get("/endpoint_groups/{id}/projects/{project_id}", rule=policy.SHOW_IN_PROJECT)
def in_project(ctx: Context, tx: Tx, id: str, project_id: str) -> Answer:
    group = service.in_project(ctx, tx, project_id, id)
    return Answer(200, {"project": {"id": project_id, "endpoint_group_id": group.id, "links": _self(ctx)}})


def _self(ctx: Context) -> dict[str, Any]:
    return {"self": ctx.cloud_url + ctx.path}


@routes.put("/endpoint_groups/{id}/projects/{project_id}", rule=policy.ADD_TO_PROJECT, status=204)
def add_to_project(ctx: Context, tx: Tx, id: str, project_id: str) -> None:
    ctx.about("project", project_id)
    service.add_to_project(ctx, tx, project_id, id)


@routes.delete("/endpoint_groups/{id}/projects/{project_id}", rule=policy.REMOVE_FROM_PROJECT)
def remove_from_project(ctx: Context, tx: Tx, id: str, project_id: str) -> None:
    ctx.about("project", project_id)
    service.remove_from_project(ctx, tx, project_id, id)


@routes.get("/projects/{project_id}/endpoint_groups", rule=policy.LIST_OF_PROJECT, view=EndpointGroupView)
def of_project(ctx: Context, tx: Tx, project_id: str) -> list[EndpointGroup]:
    return service.of_project(ctx, tx, project_id)


@routes.get("/endpoints/{endpoint_id}/projects", rule=policy.LIST_PROJECTS, view=ProjectView)
def projects_with(ctx: Context, tx: Tx, endpoint_id: str) -> list[Project]:
    return service.projects_with(ctx, tx, endpoint_id)


@routes.get("/projects/{project_id}/endpoints", rule=policy.LIST_ENDPOINTS, view=EndpointView)
def endpoints_of_project(ctx: Context, tx: Tx, project_id: str) -> list[Endpoint]:
    return service.endpoints_of_project(ctx, tx, project_id)


@routes.get("/projects/{project_id}/endpoints/{endpoint_id}", rule=policy.CHECK_ENDPOINT, status=204)
def check_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    service.check_endpoint(ctx, tx, project_id, endpoint_id)


@routes.put("/projects/{project_id}/endpoints/{endpoint_id}", rule=policy.ADD_ENDPOINT, status=204)
def add_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    ctx.about("project", project_id)
    service.add_endpoint(ctx, tx, project_id, endpoint_id)


@routes.delete("/projects/{project_id}/endpoints/{endpoint_id}", rule=policy.REMOVE_ENDPOINT)
def remove_endpoint(ctx: Context, tx: Tx, project_id: str, endpoint_id: str) -> None:
    ctx.about("project", project_id)
    service.remove_endpoint(ctx, tx, project_id, endpoint_id)
