"""What can be done with traits and with those of a provider."""

from collections.abc import Iterable

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.placement import deletions
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider
from pilvi.placement.traits import policy, store
from pilvi.placement.traits.model import Trait, is_custom, standard


def unknown(tx: Tx, names: Iterable[str]) -> list[str]:
    """Those that are no trait, sorted."""
    own = set(names) - standard()
    return sorted(own - set(store.find_many(tx, sorted(own)))) if own else []


def check_known(tx: Tx, names: Iterable[str]) -> None:
    missing = unknown(tx, names)
    if missing:
        raise BadRequest(f"No such trait(s): {', '.join(missing)}.")


def of_providers(tx: Tx, uuids: Iterable[str] | None) -> dict[str, set[str]]:
    """Provider → traits, of these providers or of all."""
    found: dict[str, set[str]] = {}
    for uuid, trait in store.pairs(tx, uuids):
        found.setdefault(uuid, set()).add(trait)
    return found


def is_used(tx: Tx, name: str) -> bool:
    return store.is_associated(tx, name)


def list_all(
    ctx: Context, tx: Tx, *, names: list[str] | None, prefix: str | None, associated: bool | None
) -> list[str]:
    policy.LIST.check(ctx)
    found = [*sorted(standard()), *store.custom(tx)]
    if names is not None:
        found = [name for name in found if name in names]
    if prefix is not None:
        found = [name for name in found if name.startswith(prefix)]
    if associated is not None:
        used = store.associated(tx)
        found = [name for name in found if (name in used) is associated]
    return found


def show(ctx: Context, tx: Tx, name: str) -> Trait:
    policy.SHOW.check(ctx)
    return _get(tx, name)


def _get(tx: Tx, name: str) -> Trait:
    found = Trait(name, None) if name in standard() else store.find(tx, name)
    if found is None:
        raise NotFound(f"No such trait(s): {name}.")
    return found


def ensure(ctx: Context, tx: Tx, name: str) -> bool:
    """Whether it was made now."""
    policy.UPDATE.check(ctx)
    if not is_custom(name):
        raise BadRequest(
            "The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "
            '"CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"'
        )
    if store.find(tx, name) is not None:
        return False
    store.add(tx, name)
    return True


def delete(ctx: Context, tx: Tx, name: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, name)
    if name in standard():
        raise BadRequest(f"Cannot delete standard trait {name}.")
    if store.is_associated(tx, name):
        raise Conflict(f"The trait {name} is in use by a resource provider.")
    store.delete(tx, name)


# ---- of a provider -----------------------------------------------------------------------------------------------


def of_provider(ctx: Context, tx: Tx, uuid: str) -> tuple[Provider, list[str]]:
    policy.PROVIDER_LIST.check(ctx)
    provider = providers.get(tx, uuid)
    return provider, store.of(tx, provider.uuid)


def put(ctx: Context, tx: Tx, uuid: str, names: list[str], generation: int) -> tuple[int, list[str]]:
    policy.PROVIDER_UPDATE.check(ctx)
    provider = providers.get(tx, uuid)
    check_known(tx, names)
    after = providers.advance(tx, provider, generation)
    store.put(tx, provider.uuid, names)
    return after, store.of(tx, provider.uuid)


def set_of(tx: Tx, uuid: str, names: Iterable[str]) -> bool:
    """For services: whether anything had to change. Traits of one's own are made."""
    wanted = set(names)
    if set(store.of(tx, uuid)) == wanted:
        return False
    for name in wanted - standard():
        store.add(tx, name)
    store.put(tx, uuid, wanted)
    providers.touch(tx, uuid)
    return True


def remove(ctx: Context, tx: Tx, uuid: str) -> None:
    policy.PROVIDER_DELETE.check(ctx)
    provider = providers.get(tx, uuid)
    providers.advance(tx, provider)
    store.forget_provider(tx, provider.uuid)


@deletions.provider
def _release_provider(tx: Tx, uuid: str) -> None:
    store.forget_provider(tx, uuid)
