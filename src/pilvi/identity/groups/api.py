"""/groups and /users/{id}/groups."""

from pilvi.identity.groups import policy, service
from pilvi.identity.groups.model import Group
from pilvi.identity.groups.wire import GroupCreate, GroupUpdate, GroupView
from pilvi.identity.users.model import User
from pilvi.identity.users.wire import UserView
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3")


@routes.get("/groups", rule=policy.LIST, view=GroupView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Group]:
    return service.list_all(ctx, tx, query)


@routes.post("/groups", rule=policy.CREATE, body=GroupCreate, view=GroupView, status=201)
def create(ctx: Context, tx: Tx, body: GroupCreate) -> Group:
    group = Group("", body.name, body.domain_id or "", body.description or "", extra_of(body))
    created = service.create(ctx, tx, group)
    ctx.about("group", created.id, created.name)
    return created


@routes.get("/groups/{id}", rule=policy.SHOW, view=GroupView)
def show(ctx: Context, tx: Tx, id: str) -> Group:
    return service.show(ctx, tx, id)


@routes.patch("/groups/{id}", rule=policy.UPDATE, body=GroupUpdate, view=GroupView)
def update(ctx: Context, tx: Tx, id: str, body: GroupUpdate) -> Group:
    group = service.update(ctx, tx, id, changes_of(body))
    ctx.about("group", id, group.name)
    return group


@routes.delete("/groups/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("group", id)
    service.delete(ctx, tx, id)


@routes.get("/groups/{id}/users", rule=policy.LIST_USERS, view=UserView)
def list_users(ctx: Context, tx: Tx, id: str) -> list[User]:
    return service.list_users(ctx, tx, id)


@routes.get("/groups/{id}/users/{user_id}", rule=policy.CHECK_USER, status=204)
def check_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    service.check_user(ctx, tx, id, user_id)


@routes.put("/groups/{id}/users/{user_id}", rule=policy.ADD_USER, status=204)
def add_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    ctx.about("group", id)
    service.add_user(ctx, tx, id, user_id)


@routes.delete("/groups/{id}/users/{user_id}", rule=policy.REMOVE_USER)
def remove_user(ctx: Context, tx: Tx, id: str, user_id: str) -> None:
    ctx.about("group", id)
    service.remove_user(ctx, tx, id, user_id)


@routes.get("/users/{id}/groups", rule=policy.LIST_OF_USER, view=GroupView)
def list_of_user(ctx: Context, tx: Tx, id: str, query: Query) -> Page[Group]:
    return service.list_of_user(ctx, tx, id, query)
