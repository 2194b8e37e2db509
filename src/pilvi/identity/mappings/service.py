from dataclasses import replace
from typing import Any

from pilvi.identity.mappings import policy, store
from pilvi.identity.mappings.model import Mapping
from pilvi.identity.mappings.model.engine import check_patterns
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound


def get(tx: Tx, id: str) -> Mapping:
    mapping = store.find(tx, id)
    if mapping is None:
        raise NotFound(f"Could not find mapping: {id}.")
    return mapping


def _check(rules: list[dict[str, Any]]) -> None:
    fault = check_patterns(rules)
    if fault is not None:
        raise BadRequest(f"The mapping cannot be used: {fault}.")


def list_all(ctx: Context, tx: Tx) -> list[Mapping]:
    policy.LIST.check(ctx)
    return store.everything(tx)


def show(ctx: Context, tx: Tx, id: str) -> Mapping:
    policy.SHOW.check(ctx)
    return get(tx, id)


def create(ctx: Context, tx: Tx, mapping: Mapping) -> Mapping:
    policy.CREATE.check(ctx)
    _check(mapping.rules)
    store.add(tx, mapping)
    return mapping


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Mapping:
    policy.UPDATE.check(ctx)
    mapping = get(tx, id)
    _check(changes.get("rules", []))
    if changes:
        store.update(tx, id, changes)
    return replace(mapping, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    store.delete(tx, id)
