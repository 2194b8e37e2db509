"""The table of contents of placement, and how the service looks to the edge."""

from pilvi.kernel.config import Config
from pilvi.kernel.http import Service
from pilvi.kernel.microversion import Versions
from pilvi.kernel.routing import Route
from pilvi.placement.aggregates import api as aggregates
from pilvi.placement.allocation_candidates import api as allocation_candidates
from pilvi.placement.allocations import api as allocations
from pilvi.placement.faults import dress, plain
from pilvi.placement.gate import check as check_headers
from pilvi.placement.inventories import api as inventories
from pilvi.placement.microversions import HISTORY
from pilvi.placement.reshaper import api as reshaper
from pilvi.placement.resource_classes import api as resource_classes
from pilvi.placement.resource_providers import api as resource_providers
from pilvi.placement.traits import api as traits
from pilvi.placement.usages import api as usages
from pilvi.placement.versions import api as versions

RESOURCES = (
    versions, resource_providers, inventories, traits, aggregates, usages, allocations, allocation_candidates,
    resource_classes, reshaper,
)  # fmt: skip


def all_routes() -> list[Route]:
    return [route for resource in RESOURCES for route in resource.routes.routes]


def service(config: Config, prefix: str = "/placement") -> Service:
    return Service(
        name="placement",
        prefix=prefix,
        dress=dress,
        routes=all_routes(),
        versions=Versions("placement", 1, HISTORY, vary="openstack-api-version"),
        plain_faults=plain,
        gate=check_headers,
    )


def services_of(config: Config) -> list[Service]:
    return [service(config)]
