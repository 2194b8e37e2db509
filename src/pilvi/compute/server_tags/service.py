"""Tags of servers: short words to find them by."""

from pilvi.compute.servers import policy
from pilvi.compute.servers import service as servers
from pilvi.compute.servers.model import CHANGEABLE, Server
from pilvi.compute.servers.wire import TAGS_LIMIT
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.kernel.policy import Rule


def list_(ctx: Context, tx: Tx, server_id: str) -> list[str]:
    return servers.get(ctx, tx, server_id, policy.TAGS_LIST).tags


def check(ctx: Context, tx: Tx, server_id: str, tag: str) -> None:
    if tag not in servers.get(ctx, tx, server_id, policy.TAGS_SHOW).tags:
        raise _no_tag(server_id, tag)


def replace(ctx: Context, tx: Tx, server_id: str, tags: list[str]) -> list[str]:
    server = _changeable(ctx, tx, server_id, policy.TAGS_UPDATE_ALL)
    servers.replace_tags(tx, server, sorted(tags))
    return sorted(tags)


def clear(ctx: Context, tx: Tx, server_id: str) -> None:
    servers.replace_tags(tx, _changeable(ctx, tx, server_id, policy.TAGS_DELETE_ALL), [])


def add(ctx: Context, tx: Tx, server_id: str, tag: str) -> bool:
    """True when the tag is new."""
    server = _changeable(ctx, tx, server_id, policy.TAGS_UPDATE)
    if not tag or len(tag) > 60 or "," in tag or "/" in tag:
        raise BadRequest(f"Tag '{tag}' is invalid: 1 to 60 characters without comma or slash.")
    if tag in server.tags:
        return False
    if len(server.tags) >= TAGS_LIMIT:
        raise BadRequest(f"The number of tags exceeded the per-server limit {TAGS_LIMIT}")
    servers.replace_tags(tx, server, sorted([*server.tags, tag]))
    return True


def remove(ctx: Context, tx: Tx, server_id: str, tag: str) -> None:
    server = _changeable(ctx, tx, server_id, policy.TAGS_DELETE)
    if tag not in server.tags:
        raise _no_tag(server_id, tag)
    servers.replace_tags(tx, server, [t for t in server.tags if t != tag])


def _no_tag(server_id: str, tag: str) -> NotFound:
    return NotFound(f"Server {server_id} has no tag '{tag}'")


def _changeable(ctx: Context, tx: Tx, server_id: str, rule: Rule) -> Server:
    server = servers.get(ctx, tx, server_id, rule)
    if server.vm_state not in CHANGEABLE:
        raise Conflict(f"Cannot 'change tags' instance {server.id} while it is in vm_state {server.vm_state}")
    return server
