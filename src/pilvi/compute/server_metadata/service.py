"""Metadata of servers: strings that users hang on them and guests can read."""

from pilvi.compute.quotas import service as quotas
from pilvi.compute.servers import policy
from pilvi.compute.servers import service as servers
from pilvi.compute.servers.model import CHANGEABLE, Server, cannot
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pilvi.kernel.policy import Rule


def list_(ctx: Context, tx: Tx, server_id: str) -> dict[str, str]:
    return servers.get(ctx, tx, server_id, policy.METADATA_LIST).metadata


def show(ctx: Context, tx: Tx, server_id: str, key: str) -> str:
    metadata = servers.get(ctx, tx, server_id, policy.METADATA_SHOW).metadata
    if key not in metadata:
        raise NotFound("Metadata item was not found")
    return metadata[key]


def add(ctx: Context, tx: Tx, server_id: str, items: dict[str, str], rule: Rule) -> dict[str, str]:
    server = _changeable(ctx, tx, server_id, rule)
    return _save(tx, server, server.metadata | items)


def replace(ctx: Context, tx: Tx, server_id: str, items: dict[str, str]) -> dict[str, str]:
    return _save(tx, _changeable(ctx, tx, server_id, policy.METADATA_UPDATE_ALL), items)


def put(ctx: Context, tx: Tx, server_id: str, key: str, item: dict[str, str]) -> None:
    if list(item) != [key]:
        raise BadRequest("Request body and URI mismatch: the body must hold just the key that the URL names.")
    add(ctx, tx, server_id, item, policy.METADATA_UPDATE)


def delete(ctx: Context, tx: Tx, server_id: str, key: str) -> None:
    server = _changeable(ctx, tx, server_id, policy.METADATA_DELETE)
    if key not in server.metadata:
        raise NotFound("Metadata item was not found")
    _save(tx, server, {k: v for k, v in server.metadata.items() if k != key})


def _changeable(ctx: Context, tx: Tx, server_id: str, rule: Rule) -> Server:
    server = servers.get(ctx, tx, server_id, rule)
    if server.locked_by is not None and not ctx.is_admin:
        raise Conflict(f"Instance {server.id} is locked")
    if server.vm_state not in CHANGEABLE:
        raise cannot(server, "update metadata", f"vm_state {server.vm_state}")
    return server


def _save(tx: Tx, server: Server, metadata: dict[str, str]) -> dict[str, str]:
    limit = quotas.limits_of(tx, server.project_id)["metadata_items"]
    if 0 <= limit < len(metadata):
        raise Forbidden(f"Maximum number of metadata items exceeds {limit}")
    servers.replace_metadata(tx, server, metadata)
    return metadata
