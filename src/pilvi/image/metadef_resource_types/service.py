"""Resource types and the namespaces that are meant for them. The namespace was found by who calls."""

from pilvi.image.metadef_namespaces import policy
from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.image.metadef_resource_types import store
from pilvi.image.metadef_resource_types.model import STANDARD, Association
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound


def names(ctx: Context, tx: Tx) -> list[str]:
    policy.LIST_TYPES.check(ctx, project_id=ctx.project_id)
    return sorted({*STANDARD, *store.names(tx)})


def namespaces_for(tx: Tx, type_names: list[str]) -> list[str]:
    """Ids of the namespaces that are meant for any of these types."""
    return store.namespace_ids(tx, type_names)


def of(tx: Tx, namespaces: list[Namespace]) -> dict[str, list[Association]]:
    """By the id of the namespace."""
    found: dict[str, list[Association]] = {}
    for association in store.of(tx, [n.id for n in namespaces]):
        found.setdefault(association.namespace_id, []).append(association)
    return found


def add(tx: Tx, namespace: Namespace, name: str, prefix: str | None, target: str | None) -> Association:
    now = clock.timestamp()
    association = Association(namespace.id, name, prefix, target, now, now)
    store.add(tx, association)
    return association


def remove(tx: Tx, namespace: Namespace, name: str) -> None:
    if not store.delete(tx, namespace.id, name):
        raise NotFound(f"The resource type {name} is not associated with namespace {namespace.namespace}.")


def remove_all(tx: Tx, namespace: Namespace) -> None:
    store.delete(tx, namespace.id)
