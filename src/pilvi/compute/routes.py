"""The table of contents of the compute API."""

from typing import Any

from pilvi.compute.addresses import api as addresses
from pilvi.compute.availability_zones import api as availability_zones
from pilvi.compute.extra_specs import api as extra_specs
from pilvi.compute.faults import dress
from pilvi.compute.flavors import api as flavors
from pilvi.compute.hosts import api as hosts
from pilvi.compute.hypervisors import api as hypervisors
from pilvi.compute.instance_actions import api as instance_actions
from pilvi.compute.instance_actions import service as instance_action_service
from pilvi.compute.keypairs import api as keypairs
from pilvi.compute.microversions import HISTORY
from pilvi.compute.quotas import api as quotas
from pilvi.compute.remote_consoles import api as remote_consoles
from pilvi.compute.server_metadata import api as server_metadata
from pilvi.compute.server_tags import api as server_tags
from pilvi.compute.servers import api as servers
from pilvi.compute.servers import reconcile
from pilvi.compute.services import api as services
from pilvi.compute.versions import api as versions
from pilvi.kernel import links
from pilvi.kernel.config import Config
from pilvi.kernel.context import Context
from pilvi.kernel.http import Service
from pilvi.kernel.loop import Loop
from pilvi.kernel.microversion import Versions
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.retention import Drop

VERSIONS = Versions("compute", 2, HISTORY, legacy_header="X-OpenStack-Nova-API-Version")
ROOMS = (
    versions, servers, server_metadata, server_tags, addresses, instance_actions, remote_consoles, flavors,
    extra_specs, keypairs, quotas, availability_zones, hypervisors, services,
)  # fmt: skip


def services_of(config: Config) -> list[Service]:
    """The API itself, its unversioned root, and what agents ask."""
    api = Service(
        name="compute", root="/compute", prefix="/compute/v2.1", dress=dress, versions=VERSIONS,
        routes=[route for room in ROOMS for route in room.routes.routes], page_links=_page_links,
        request_id_headers=("X-Compute-Request-Id",),
    )  # fmt: skip
    root = Service("compute_root", prefix="/compute", dress=dress, routes=versions.root.routes)
    agents = Service("agent", prefix="/agent/v1", dress=dress, routes=hosts.routes_for(config.compute).routes)
    return [api, root, agents]


def _page_links(ctx: Context, query: Query, view: Any, page: Page[Any]) -> dict[str, Any]:
    if not view.links:
        return {}
    found = links.next_page(ctx, query, page, marker=getattr(view, "marker", "id"))
    return {view.links: found} if found else {}


ACTIONS_KEPT_S = 90 * 86400.0


def kept() -> dict[str, tuple[float, Drop]]:
    """What grows with time, and how long it is kept."""
    return {"instance_actions": (ACTIONS_KEPT_S, instance_action_service.forget)}


def loops() -> list[Loop]:
    return [Loop("server", reconcile.reconcile, reconcile.sweep)]
