"""/v2/images/{id}/members."""

from typing import Any

from pilvi.image.image_members import policy, service
from pilvi.image.image_members.model import Member
from pilvi.image.image_members.wire import MemberCreate, MemberUpdate, MemberView
from pilvi.image.images import service as images
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Routes

routes = Routes("image", "/images/{image_id}/members")


@routes.get(rule=policy.LIST)
def list_(ctx: Context, tx: Tx, image_id: str) -> dict[str, Any]:
    found = service.list_(ctx, tx, images.get(ctx, tx, image_id))
    render = MemberView.renderer(ctx)
    return {"members": [render(member, ctx) for member in found], "schema": "/v2/schemas/members"}


@routes.post(rule=policy.ADD, body=MemberCreate, view=MemberView)
def create(ctx: Context, tx: Tx, image_id: str, body: MemberCreate) -> Member:
    return service.add(ctx, tx, images.get(ctx, tx, image_id), body.member)


@routes.get("/{member_id}", rule=policy.GET, view=MemberView)
def show(ctx: Context, tx: Tx, image_id: str, member_id: str) -> Member:
    return service.show(ctx, tx, images.get(ctx, tx, image_id), member_id)


@routes.put("/{member_id}", rule=policy.MODIFY, body=MemberUpdate, view=MemberView)
def update(ctx: Context, tx: Tx, image_id: str, member_id: str, body: MemberUpdate) -> Member:
    return service.answer(ctx, tx, images.get(ctx, tx, image_id), member_id, body.status)


@routes.delete("/{member_id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, image_id: str, member_id: str) -> None:
    service.remove(ctx, tx, images.get(ctx, tx, image_id), member_id)
