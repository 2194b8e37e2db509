"""/policies/{id}/OS-ENDPOINT-POLICY and /endpoints/{id}/OS-ENDPOINT-POLICY/policy.

The three kinds of targets differ only in their paths, so the routes are made from a table.
"""

from collections.abc import Callable
from typing import Any

from pilvi.identity.endpoint_policies import policy, service
from pilvi.identity.endpoint_policies.model import Target
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.endpoints.wire import EndpointView
from pilvi.identity.policies.model import PolicyBlob
from pilvi.identity.policies.wire import PolicyView
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.policy import Rule
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3")
_BASE = "/policies/{policy_id}/OS-ENDPOINT-POLICY"


def _register(path: str, rules: dict[str, Rule], made: Callable[[str, str], Target]) -> None:
    """The three routes of one kind of target; `first` and `second` are the names in its path."""

    def create(ctx: Context, tx: Tx, policy_id: str, first: str, second: str = "") -> None:
        ctx.about("policy", policy_id)
        service.create(ctx, tx, rules["create"], policy_id, made(first, second))

    def check(ctx: Context, tx: Tx, policy_id: str, first: str, second: str = "") -> None:
        service.check(ctx, tx, rules["check"], policy_id, made(first, second))

    def delete(ctx: Context, tx: Tx, policy_id: str, first: str, second: str = "") -> None:
        ctx.about("policy", policy_id)
        service.delete(ctx, tx, rules["delete"], policy_id, made(first, second))

    options: dict[str, Any] = {"status": 204}
    routes.put(_BASE + path, rule=rules["create"], **options)(create)
    routes.get(_BASE + path, rule=rules["check"], **options)(check)
    routes.delete(_BASE + path, rule=rules["delete"])(delete)


_register("/endpoints/{first}", policy.ENDPOINT, lambda first, _: Target(endpoint_id=first))
_register("/services/{first}", policy.SERVICE, lambda first, _: Target(service_id=first))
_register(
    "/services/{first}/regions/{second}",
    policy.REGION,
    lambda first, second: Target(service_id=first, region_id=second),
)


@routes.get(_BASE + "/endpoints", rule=policy.LIST_ENDPOINTS, view=EndpointView)
def endpoints_of(ctx: Context, tx: Tx, policy_id: str) -> list[Endpoint]:
    return service.endpoints_of(ctx, tx, policy_id)


@routes.get("/endpoints/{id}/OS-ENDPOINT-POLICY/policy", rule=policy.SHOW_OF_ENDPOINT, view=PolicyView)
def of_endpoint(ctx: Context, tx: Tx, id: str) -> PolicyBlob:
    return service.of_endpoint(ctx, tx, id)
