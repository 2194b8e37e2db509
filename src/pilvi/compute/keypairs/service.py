"""What can be done with keypairs: no HTTP, no SQL, no microversions."""

from pilvi.compute.keypairs import policy, store
from pilvi.compute.keypairs.model import Generated, Keypair, fingerprint
from pilvi.compute.quotas import service as quotas
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page


def create(
    ctx: Context, tx: Tx, *, owner: str, name: str, type: str, public_key: str, private_key: str | None
) -> Generated:
    """Keep the public half; the private half of a generated pair only passes through to the answer."""
    policy.CREATE.check(ctx, user_id=owner)
    tx.lock("keypairs", owner)
    limit = quotas.limits_of(tx, ctx.project_id)["key_pairs"]
    if 0 <= limit <= store.count(tx, owner):
        raise Forbidden(f"Quota exceeded, too many key pairs: the limit is {limit}.")
    keypair = Keypair(ids.uuid(), owner, name, type, public_key, fingerprint(public_key, type), clock.timestamp())
    store.add(tx, keypair)
    ctx.about("keypair", keypair.id, name)
    return Generated(keypair, private_key)


def find(tx: Tx, user_id: str, name: str) -> Keypair | None:
    return store.find(tx, user_id, name)


def show(ctx: Context, tx: Tx, *, owner: str, name: str) -> Keypair:
    policy.SHOW.check(ctx, user_id=owner)
    keypair = store.find(tx, owner, name)
    if keypair is None:
        raise NotFound(f"Keypair {name} not found for user {owner}")
    return keypair


def list_(ctx: Context, tx: Tx, *, owner: str, marker: str | None, limit: int | None) -> Page[Keypair]:
    policy.LIST.check(ctx, user_id=owner)
    if marker is not None and store.find(tx, owner, marker) is None:
        raise BadRequest(f"marker [{marker}] not found")
    return store.page(tx, owner, marker=marker, limit=limit)


def delete(ctx: Context, tx: Tx, *, owner: str, name: str) -> None:
    policy.DELETE.check(ctx, user_id=owner)
    if not store.delete(tx, owner, name):
        raise NotFound(f"Keypair {name} not found for user {owner}")
    ctx.about("keypair", name, name)
