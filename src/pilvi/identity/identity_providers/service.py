"""What can be done with identity providers and their protocols. Users from there live in the provider's domain."""

from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.identity_providers import policy, store
from pilvi.identity.identity_providers.model import IdentityProvider, Protocol
from pilvi.identity.mappings import service as mappings
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def _get(tx: Tx, id: str) -> IdentityProvider:
    provider = store.find(tx, id)
    if provider is None:
        raise NotFound(f"Could not find Identity Provider: {id}.")
    return provider


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[IdentityProvider]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> IdentityProvider:
    policy.SHOW.check(ctx)
    return _get(tx, id)


def create(ctx: Context, tx: Tx, provider: IdentityProvider) -> IdentityProvider:
    """Without a domain it gets one of its own."""
    policy.CREATE.check(ctx)
    if provider.domain_id:
        projects.get_domain(tx, provider.domain_id)
    else:
        description = f"Users who come in through the identity provider {provider.id}."
        domain = Project(ids.hexid(), f"{provider.id[:31]}-{ids.hexid()}", "", "", True, True, description)
        provider = replace(provider, domain_id=projects.add(tx, domain).id)
    store.add(tx, provider)
    return provider


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> IdentityProvider:
    policy.UPDATE.check(ctx)
    provider = _get(tx, id)
    if "remote_ids" in changes:
        changes["remote_ids"] = changes["remote_ids"] or []
        store.put_remote_ids(tx, id, changes["remote_ids"])
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(provider, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, id)
    _remove(tx, id)


def _remove(tx: Tx, id: str) -> None:
    """Tokens of users who came in through it end with it, and so do their memberships by its word."""
    deletions.identity_provider.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    for id in store.of_domain(tx, domain_id):
        _remove(tx, id)


# ---- protocols ---------------------------------------------------------------------------------------------------


def _get_protocol(tx: Tx, idp_id: str, id: str) -> Protocol:
    protocol = store.find_protocol(tx, idp_id, id)
    if protocol is None:
        raise NotFound(f"Could not find federated protocol {id} for Identity Provider: {idp_id}.")
    return protocol


def _check_mapping(tx: Tx, id: str) -> None:
    try:
        mappings.get(tx, id)
    except NotFound:
        raise BadRequest(f"There is no mapping {id}; create it first.") from None


def protocols_of(ctx: Context, tx: Tx, idp_id: str) -> list[Protocol]:
    policy.LIST_PROTOCOLS.check(ctx)
    _get(tx, idp_id)
    return store.protocols_of(tx, idp_id)


def show_protocol(ctx: Context, tx: Tx, idp_id: str, id: str) -> Protocol:
    policy.SHOW_PROTOCOL.check(ctx)
    return _get_protocol(tx, idp_id, id)


def create_protocol(ctx: Context, tx: Tx, protocol: Protocol) -> Protocol:
    policy.CREATE_PROTOCOL.check(ctx)
    _get(tx, protocol.idp_id)
    _check_mapping(tx, protocol.mapping_id)
    store.add_protocol(tx, protocol)
    return protocol


def update_protocol(ctx: Context, tx: Tx, idp_id: str, id: str, changes: dict[str, Any]) -> Protocol:
    policy.UPDATE_PROTOCOL.check(ctx)
    protocol = _get_protocol(tx, idp_id, id)
    if "mapping_id" in changes:
        _check_mapping(tx, changes["mapping_id"])
    if changes:
        store.update_protocol(tx, protocol, changes)
        epochs.bump(tx)
    return replace(protocol, **changes)


def delete_protocol(ctx: Context, tx: Tx, idp_id: str, id: str) -> None:
    policy.DELETE_PROTOCOL.check(ctx)
    store.delete_protocol(tx, _get_protocol(tx, idp_id, id))
    epochs.bump(tx)


def is_open(tx: Tx, idp_id: str, protocol_id: str) -> bool:
    """Whether users may come in through this provider and protocol."""
    provider = store.find(tx, idp_id)
    return provider is not None and provider.enabled and store.find_protocol(tx, idp_id, protocol_id) is not None


def has_protocol(tx: Tx, idp_id: str, protocol_id: str) -> bool:
    return store.find(tx, idp_id) is not None and store.find_protocol(tx, idp_id, protocol_id) is not None


def entrance(tx: Tx, idp_id: str, protocol_id: str) -> tuple[IdentityProvider, Protocol]:
    """An enabled provider and its protocol; raises NotFound, or Forbidden when it is disabled."""
    provider, protocol = _get(tx, idp_id), _get_protocol(tx, idp_id, protocol_id)
    if not provider.enabled:
        raise Forbidden(f"The identity provider {idp_id} is disabled.")
    return provider, protocol


def with_protocol(tx: Tx, protocol_id: str) -> list[IdentityProvider]:
    """Enabled providers that have this protocol."""
    found = [store.find(tx, id) for id in store.idps_with_protocol(tx, protocol_id)]
    return [provider for provider in found if provider is not None and provider.enabled]
