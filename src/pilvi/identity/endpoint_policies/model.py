"""An association, and which one is the nearest to an endpoint. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilvi.identity.endpoints.model import Endpoint


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint, a service in a region, or a service; what does not count is empty."""

    endpoint_id: str = ""
    service_id: str = ""
    region_id: str = ""


def nearest(endpoint: Endpoint, regions: Sequence[str], known: Mapping[Target, str]) -> str | None:
    """The policy of an endpoint: its own, else its service's in its region or one above, else its service's."""
    wanted = [Target(endpoint_id=endpoint.id)]
    wanted += [Target(service_id=endpoint.service_id, region_id=region) for region in regions]
    wanted.append(Target(service_id=endpoint.service_id))
    return next((known[target] for target in wanted if target in known), None)
