"""What can be done with resource classes. Standard ones are there always and never change."""

from collections.abc import Callable, Iterable

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.placement.resource_classes import policy, store
from pilvi.placement.resource_classes.model import STANDARD, ResourceClass

_STANDARD = frozenset(STANDARD)
_users: list[Callable[[Tx, str], bool]] = []


def in_use(check: Callable[[Tx, str], bool]) -> Callable[[Tx, str], bool]:
    """A decorator: whoever uses classes says here whether one is in use."""
    _users.append(check)
    return check


def exists(tx: Tx, name: str) -> bool:
    return name in _STANDARD or store.find(tx, name) is not None


def _get(tx: Tx, name: str) -> ResourceClass:
    found = ResourceClass(name, None) if name in _STANDARD else store.find(tx, name)
    if found is None:
        raise NotFound(f"No such resource class {name}.")
    return found


def in_order(names: Iterable[str]) -> list[str]:
    """Standard ones first, as they are numbered."""
    return sorted(names, key=lambda name: (STANDARD.index(name) if name in _STANDARD else len(STANDARD), name))


def unknown(tx: Tx, names: set[str]) -> list[str]:
    """Those that are no class, sorted."""
    return sorted(name for name in names if not exists(tx, name))


def list_all(ctx: Context, tx: Tx) -> list[ResourceClass]:
    policy.LIST.check(ctx)
    return [ResourceClass(name, None) for name in STANDARD] + store.custom(tx)


def show(ctx: Context, tx: Tx, name: str) -> ResourceClass:
    policy.SHOW.check(ctx)
    return _get(tx, name)


def create(ctx: Context, tx: Tx, name: str) -> None:
    policy.CREATE.check(ctx)
    store.add(tx, name)


def ensure(ctx: Context, tx: Tx, name: str) -> bool:
    """Whether it was made now."""
    policy.UPDATE.check(ctx)
    if exists(tx, name):
        return False
    store.add(tx, name)
    return True


def rename(ctx: Context, tx: Tx, name: str, new: str) -> ResourceClass:
    policy.UPDATE.check(ctx)
    _get(tx, name)
    if name in _STANDARD:
        raise BadRequest(f"Cannot update standard resource class {name}")
    if any(check(tx, name) for check in _users):
        raise Conflict(f"Resource class {name} is in use and cannot be renamed.")
    store.rename(tx, name, new)
    return _get(tx, new)


def delete(ctx: Context, tx: Tx, name: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, name)
    problem = f"Error in delete resource class {name}: "
    if name in _STANDARD:
        raise BadRequest(f"{problem}Cannot delete standard resource class {name}.")
    if any(check(tx, name) for check in _users):
        raise Conflict(f"{problem}Class is in use in inventory, or allocated.")
    store.delete(tx, name)
