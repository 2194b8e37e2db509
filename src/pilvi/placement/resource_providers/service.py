"""What can be done with providers and their trees. Changes of what a provider has go through its generation."""

from uuid import UUID

from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Duplicate, Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.placement import deletions
from pilvi.placement.resource_providers import policy, store
from pilvi.placement.resource_providers.model import Provider

KEEP = "keep"
"""The parent of a provider is not to be changed."""
CONCURRENT = "placement.concurrent_update"
_CHANGED = "Resource provider's generation already changed. Please update the generation and try again."


def missing(uuid: str) -> NotFound:
    return NotFound(f"No resource provider with uuid {uuid} found", type="placement.resource_provider.not_found")


def find(tx: Tx, uuid: str) -> Provider | None:
    return store.find(tx, uuid)


def find_many(tx: Tx, uuids: set[str]) -> list[Provider]:
    return store.find_many(tx, uuids)


def find_named(tx: Tx, name: str) -> Provider | None:
    return store.find_named(tx, name)


def get(tx: Tx, uuid: str) -> Provider:
    provider = store.find(tx, uuid.lower())
    if provider is None:
        raise missing(uuid)
    return provider


def search(tx: Tx, *, name: str | None = None, uuid: str | None = None, root: str | None = None) -> list[Provider]:
    return store.search(tx, name=name, uuid=uuid, root=root)


def any_nested(tx: Tx) -> bool:
    return store.any_nested(tx)


def advance(tx: Tx, provider: Provider, given: int | None = None) -> int:
    """Change a provider: the client's generation, if it gave one, must be the one in force. The new generation."""
    if given is not None and given != provider.generation:
        raise Conflict(
            f"resource provider generation conflict for resource provider {provider.uuid}: "
            f"actual: {provider.generation}, given: {given}. {_CHANGED}",
            type=CONCURRENT,
        )
    if not store.advance(tx, provider.uuid, provider.generation):
        raise Conflict(_CHANGED, type=CONCURRENT)
    return provider.generation + 1


def touch(tx: Tx, uuid: str) -> None:
    """Something was allocated from a provider."""
    store.touch(tx, uuid)


def show(ctx: Context, tx: Tx, uuid: str) -> Provider:
    policy.SHOW.check(ctx)
    return get(tx, uuid)


def create(ctx: Context, tx: Tx, name: str, uuid: str | None, parent_uuid: str | None) -> Provider:
    policy.CREATE.check(ctx)
    return add(tx, name, str(UUID(uuid)) if uuid else ids.uuid(), str(UUID(parent_uuid)) if parent_uuid else None)


def add(tx: Tx, name: str, uuid: str, parent_uuid: str | None = None) -> Provider:
    root_uuid = uuid
    if parent_uuid is not None:
        if parent_uuid == uuid:
            raise BadRequest(
                f'Unable to create resource provider "{name}", {uuid}: parent provider UUID cannot be same as UUID. '
                "Please set parent provider UUID to None if there is no parent."
            )
        parent = store.find(tx, parent_uuid)
        if parent is None:
            raise BadRequest(
                f'Unable to create resource provider "{name}", {uuid}: parent provider UUID does not exist.'
            )
        root_uuid = parent.root_uuid
    now = clock.timestamp()
    provider = Provider(uuid, name, 0, parent_uuid, root_uuid, now, now)
    _check_free(tx, provider)
    try:
        store.add(tx, provider)
    except Duplicate:
        raise Conflict(f"Conflicting resource provider {name}, {uuid} already exists.") from None
    return provider


def _check_free(tx: Tx, provider: Provider) -> None:
    if store.find(tx, provider.uuid) is not None:
        raise Conflict(f"Conflicting resource provider uuid: {provider.uuid} already exists.", type=_DUPLICATE)
    _check_name(tx, provider.name)


_DUPLICATE = "placement.duplicate_name"


def _check_name(tx: Tx, name: str) -> None:
    if store.find_named(tx, name) is not None:
        raise Conflict(f"Conflicting resource provider name: {name} already exists.", type=_DUPLICATE)


def update(ctx: Context, tx: Tx, uuid: str, name: str, parent_uuid: str | None, *, may_move: bool) -> Provider:
    policy.UPDATE.check(ctx)
    provider = get(tx, uuid)
    if name != provider.name:
        _check_name(tx, name)
    if parent_uuid != KEEP:
        _set_parent(tx, provider, parent_uuid, may_move)
    store.update(tx, provider.uuid, name=name)
    return get(tx, uuid)


def _set_parent(tx: Tx, provider: Provider, parent_uuid: str | None, may_move: bool) -> None:
    problem = f"Unable to save resource provider {provider.uuid}: "
    wanted = str(UUID(parent_uuid)) if parent_uuid else None
    if wanted is None:
        if provider.parent_uuid is not None and not may_move:
            raise BadRequest(problem + "un-parenting a provider is not currently allowed.")
        root = provider.uuid
    else:
        parent = store.find(tx, wanted)
        if parent is None:
            raise BadRequest(problem + "parent provider UUID does not exist.")
        if provider.parent_uuid not in (None, wanted) and not may_move:
            raise BadRequest(problem + "re-parenting a provider is not currently allowed.")
        if wanted in {p.uuid for p in subtree(tx, provider)}:
            raise BadRequest(problem + "creating loop in the provider tree is not allowed.")
        root = parent.root_uuid
    if wanted == provider.parent_uuid:
        return
    moved = [p.uuid for p in subtree(tx, provider)]
    store.update(tx, provider.uuid, parent_uuid=wanted)
    store.move(tx, moved, root)


def subtree(tx: Tx, provider: Provider) -> list[Provider]:
    """The provider and everything below it."""
    tree = store.search(tx, name=None, uuid=None, root=provider.root_uuid)
    found, wanted = [provider], {provider.uuid}
    grown = True
    while grown:
        more = [p for p in tree if p.parent_uuid in wanted and p.uuid not in wanted]
        found += more
        wanted |= {p.uuid for p in more}
        grown = bool(more)
    return found


def delete(ctx: Context, tx: Tx, uuid: str) -> None:
    policy.DELETE.check(ctx)
    provider = store.find(tx, uuid.lower())
    if provider is None:
        raise NotFound(f"No resource provider with uuid {uuid} found for delete", type=_NOT_FOUND)
    remove(tx, provider.uuid)


def remove(tx: Tx, uuid: str) -> bool:
    """Whether there was one; raises Conflict while it has children or allocations."""
    provider = store.find(tx, uuid)
    if provider is None:
        return False
    if store.children(tx, provider.uuid):
        raise Conflict(
            f"Unable to delete parent resource provider {provider.uuid}: It has child resource providers.",
            type="placement.resource_provider.cannot_delete_parent",
        )
    deletions.announce_provider(tx, provider.uuid)
    store.delete(tx, provider.uuid)
    return True


_NOT_FOUND = "placement.resource_provider.not_found"
