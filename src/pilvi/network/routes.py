"""The table of contents of the network API."""

from typing import Any

from pilvi.kernel.config import Config
from pilvi.kernel.context import Context
from pilvi.kernel.http import Service
from pilvi.kernel.loop import Loop
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network import settings
from pilvi.network.address_scopes import api as address_scopes
from pilvi.network.agents import api as agents
from pilvi.network.availability_zones import api as availability_zones
from pilvi.network.extensions import api as extensions
from pilvi.network.faults import dress
from pilvi.network.floating_ips import api as floating_ips
from pilvi.network.ip_availability import api as ip_availability
from pilvi.network.networks import api as networks
from pilvi.network.ports import api as ports
from pilvi.network.quotas import api as quotas
from pilvi.network.rbac_policies import api as rbac_policies
from pilvi.network.routers import api as routers
from pilvi.network.routers import reconcile
from pilvi.network.security_group_rules import api as security_group_rules
from pilvi.network.security_groups import api as security_groups
from pilvi.network.subnetpools import api as subnetpools
from pilvi.network.subnets import api as subnets
from pilvi.network.tags import api as tags
from pilvi.network.versions import api as versions

ROOMS = (
    versions, extensions, networks, subnets, ports, routers, floating_ips, security_groups, security_group_rules,
    quotas, rbac_policies, subnetpools, address_scopes, agents, availability_zones, ip_availability, tags,
)  # fmt: skip


def services_of(config: Config) -> list[Service]:
    known = settings.current
    known.mtu, known.dns_domain, known.quotas = config.network.mtu, config.network.dns_domain, config.quotas
    api = Service(
        name="network", prefix="/network", dress=dress,
        routes=[route for room in ROOMS for route in room.routes.routes],
        page_links=_page_links, field_selection=True,
    )  # fmt: skip
    return [api]


def _page_links(ctx: Context, query: Query, view: Any, page: Page[Any]) -> dict[str, Any]:
    """Next and previous, only when pages were asked for. A full page may have a next one that is empty."""
    if not page.previous or not view.plural:
        return {}
    limit, reverse = query.number("limit") or 0, query.flag("page_reverse")
    is_short = len(page.items) < limit
    links = []
    if reverse or not is_short:
        marker = page.items[-1].id if page.items else query.get("marker")
        links.append(_link(ctx, query, "next", marker=marker, page_reverse=None))
    if not (reverse and is_short):
        marker = page.items[0].id if page.items else query.get("marker")
        links.append(_link(ctx, query, "previous", marker=marker, page_reverse="True"))
    return {f"{view.plural}_links": links}


def _link(ctx: Context, query: Query, rel: str, **changes: str | None) -> dict[str, str]:
    return {"rel": rel, "href": f"{ctx.cloud_url}{ctx.path}?{query.with_changes(changes)}"}


def loops() -> list[Loop]:
    return [Loop("router", reconcile.reconcile, reconcile.sweep)]
