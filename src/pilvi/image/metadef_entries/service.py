"""Objects, properties and tags of a namespace, which was found and whose rule was checked by who calls."""

from typing import Any

from pilvi.image.metadef_entries import store
from pilvi.image.metadef_entries.model import ENTRIES_LIMIT, Entry
from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound, TooLarge


def add(tx: Tx, namespace: Namespace, kind: str, name: str, definition: dict[str, Any]) -> Entry:
    if store.count(tx, namespace.id, kind) >= ENTRIES_LIMIT:
        raise TooLarge(f"A namespace holds {ENTRIES_LIMIT} entries of each kind.")
    now = clock.timestamp()
    entry = Entry(namespace.id, kind, name, definition, now, now)
    store.add(tx, entry)
    return entry


def get(tx: Tx, namespace: Namespace, kind: str, name: str) -> Entry:
    found = store.find(tx, namespace.id, kind, name)
    if found is None:
        raise NotFound(
            f"The metadata definition {kind} with name={name} was not found in namespace={namespace.namespace}."
        )
    return found


def list_(tx: Tx, namespace: Namespace, kind: str) -> list[Entry]:
    return store.of(tx, namespace.id, kind)


def update(tx: Tx, namespace: Namespace, kind: str, name: str, *, new_name: str, definition: dict[str, Any]) -> Entry:
    former = get(tx, namespace, kind, name)
    entry = Entry(namespace.id, kind, new_name, definition, former.created_at, clock.timestamp())
    store.replace(tx, former, entry)
    return entry


def delete(tx: Tx, namespace: Namespace, kind: str, name: str) -> None:
    get(tx, namespace, kind, name)
    store.delete(tx, namespace.id, kind, name)


def delete_all(tx: Tx, namespace: Namespace, kind: str | None = None) -> None:
    store.delete(tx, namespace.id, kind)
