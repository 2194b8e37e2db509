from pilvi.identity import deletions
from pilvi.identity.endpoint_policies import policy, store
from pilvi.identity.endpoint_policies.model import Target, nearest
from pilvi.identity.endpoints import service as endpoints
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.policies import service as policies
from pilvi.identity.policies.model import PolicyBlob
from pilvi.identity.regions import service as regions
from pilvi.identity.services import service as services
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.policy import Rule


def _check(ctx: Context, tx: Tx, rule: Rule, policy_id: str, target: Target) -> None:
    """The caller may, and what is named exists."""
    rule.check(ctx)
    policies.get(tx, policy_id)
    if target.endpoint_id:
        endpoints.get(tx, target.endpoint_id)
    if target.service_id:
        services.get(tx, target.service_id)
    if target.region_id:
        regions.get(tx, target.region_id)


def _absent(policy_id: str) -> NotFound:
    return NotFound(f"Policy {policy_id} is not associated with this.")


def create(ctx: Context, tx: Tx, rule: Rule, policy_id: str, target: Target) -> None:
    """In place of another document, if there was one."""
    _check(ctx, tx, rule, policy_id, target)
    store.put(tx, target, policy_id)


def check(ctx: Context, tx: Tx, rule: Rule, policy_id: str, target: Target) -> None:
    _check(ctx, tx, rule, policy_id, target)
    if store.find(tx, target) != policy_id:
        raise _absent(policy_id)


def delete(ctx: Context, tx: Tx, rule: Rule, policy_id: str, target: Target) -> None:
    _check(ctx, tx, rule, policy_id, target)
    if store.find(tx, target) != policy_id:
        raise _absent(policy_id)
    store.delete(tx, target)


def _policy_id(tx: Tx, endpoint: Endpoint, known: dict[Target, str]) -> str | None:
    above: list[str] = []
    region = regions.find(tx, endpoint.region_id) if endpoint.region_id else None
    while region is not None and region.id not in above:
        above.append(region.id)
        region = regions.find(tx, region.parent_region_id) if region.parent_region_id else None
    return nearest(endpoint, above, known)


def of_endpoint(ctx: Context, tx: Tx, endpoint_id: str) -> PolicyBlob:
    policy.SHOW_OF_ENDPOINT.check(ctx)
    found = _policy_id(tx, endpoints.get(tx, endpoint_id), store.everything(tx))
    if found is None:
        raise NotFound(f"No policy is associated with endpoint {endpoint_id}.")
    return policies.get(tx, found)


def endpoints_of(ctx: Context, tx: Tx, policy_id: str) -> list[Endpoint]:
    policy.LIST_ENDPOINTS.check(ctx)
    policies.get(tx, policy_id)
    known = store.everything(tx)
    return [e for e in endpoints.everything(tx) if _policy_id(tx, e, known) == policy_id]


@deletions.policy
def _release_policy(tx: Tx, id: str) -> None:
    store.forget(tx, policy_id=id)


@deletions.endpoint
def _release_endpoint(tx: Tx, id: str) -> None:
    store.forget(tx, endpoint_id=id)


@deletions.service
def _release_service(tx: Tx, id: str) -> None:
    store.forget(tx, service_id=id)


@deletions.region
def _release_region(tx: Tx, id: str) -> None:
    store.forget(tx, region_id=id)
