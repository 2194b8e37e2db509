"""/v2/images/{id}/tags."""

from pilvi.image.images import policy, service
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Routes

routes = Routes("image", "/images/{image_id}/tags")
TAG_LIMIT = 255


@routes.put("/{tag}", rule=policy.MODIFY, status=204)
def add(ctx: Context, tx: Tx, image_id: str, tag: str) -> None:
    if len(tag) > TAG_LIMIT or "\0" in tag:
        raise BadRequest(f"A tag has 1 to {TAG_LIMIT} characters and no NUL.")
    service.add_tag(ctx, tx, image_id, tag)


@routes.delete("/{tag}", rule=policy.MODIFY)
def delete(ctx: Context, tx: Tx, image_id: str, tag: str) -> None:
    service.delete_tag(ctx, tx, image_id, tag)
