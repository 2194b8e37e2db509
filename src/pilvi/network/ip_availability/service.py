"""How many addresses the networks have, and how many of them are given out."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.network.addresses import service as addresses
from pilvi.network.addresses.model import ranges_of
from pilvi.network.ip_availability import policy
from pilvi.network.networks import service as networks
from pilvi.network.networks.model import Network
from pilvi.network.standard.model import missing
from pilvi.network.subnets import service as subnets

FILTERS = {"network_id": "id", "network_name": "name", "project_id": "project_id", "tenant_id": "project_id"}


def list_(ctx: Context, tx: Tx, query: Query) -> list[dict[str, Any]]:
    policy.SHOW.check(ctx)
    found = networks.all_networks(tx)
    for name, values in query.filters(FILTERS).items():
        found = [network for network in found if getattr(network, FILTERS[name]) in values]
    versions = query.all("ip_version")
    return _shown(tx, found, {int(value) for value in versions if value.isdigit()} or {4, 6})


def show(ctx: Context, tx: Tx, id: str) -> dict[str, Any]:
    policy.SHOW.check(ctx)
    network = networks.find(tx, id)
    if network is None:
        raise missing("Network", id)
    return _shown(tx, [network], {4, 6})[0]


def _shown(tx: Tx, found: list[Network], versions: set[int]) -> list[dict[str, Any]]:
    every = subnets.of_networks(tx, [network.id for network in found]) if found else []
    held = [subnet for subnet in every if subnet.ip_version in versions]
    used = addresses.counts(tx, [subnet.id for subnet in held]) if held else {}
    by_network: dict[str, list[dict[str, Any]]] = {}
    for subnet in held:
        entry = {
            "subnet_id": subnet.id, "subnet_name": subnet.name, "ip_version": subnet.ip_version, "cidr": subnet.cidr,
            "total_ips": sum(count for _, count in ranges_of(subnet).ranges), "used_ips": used.get(subnet.id, 0),
        }  # fmt: skip
        by_network.setdefault(subnet.network_id, []).append(entry)
    return [_one(network, by_network.get(network.id, [])) for network in found]


def _one(network: Network, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "network_id": network.id, "network_name": network.name, "project_id": network.project_id,
        "tenant_id": network.project_id, "total_ips": sum(e["total_ips"] for e in entries),
        "used_ips": sum(e["used_ips"] for e in entries), "subnet_ip_availability": entries,
    }  # fmt: skip
