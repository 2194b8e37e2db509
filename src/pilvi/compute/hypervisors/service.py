"""Hypervisors, made of what hosts report and what is placed on them."""

from typing import Any

from pilvi.compute.hypervisors import policy
from pilvi.compute.hypervisors.model import Hypervisor
from pilvi.compute.servers import service as servers
from pilvi.compute.services import service as services
from pilvi.kernel import hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query
from pilvi.placement import facade as placement


def _all(tx: Tx, *, with_servers: bool = False) -> list[Hypervisor]:
    by_host = {service.host: service for service in services.all_services(tx)}
    providers = {provider.uuid: provider for provider in placement.providers_snapshot(tx)}
    found = []
    for number, host in enumerate(hosts.all_hosts(tx), 1):
        service = by_host[host.name]
        count, vcpus, _ = servers.usage_of_host(tx, host.name)
        provider = providers.get(host.id)
        used = {name: i.used for name, i in provider.inventories.items()} if provider else {}
        guests = servers.on_host(tx, host.name) if with_servers else []
        found.append(
            Hypervisor(
                id=host.id,
                number=number,
                host=host.name,
                state=service.state,
                status=service.status,
                disabled_reason=service.disabled_reason,
                facts=dict(host.facts),
                running_vms=count,
                vcpus_used=used.get("VCPU", vcpus),
                memory_used_mib=used.get("MEMORY_MB", 0),
                disk_used_gib=used.get("DISK_GB", 0),
                servers=[{"name": f"pilvi-{s.id}", "uuid": s.id} for s in guests],
            )
        )
    return found


def list_(ctx: Context, tx: Tx, query: Query, rule: Rule) -> Page[Hypervisor]:
    rule.check(ctx)
    new = ctx.version >= 53
    found = _all(tx, with_servers=new and query.flag("with_servers"))
    pattern = query.get("hypervisor_hostname_pattern") if new else None
    if pattern is not None:
        found = _matching(found, pattern)
    if ctx.version < 33:
        return Page(found)
    limit = query.limit() or 1000
    marker = query.get("marker")
    if marker:
        places = [i for i, h in enumerate(found) if marker in (h.id, str(h.number))]
        if not places:
            raise BadRequest(f"marker [{marker}] not found")
        found = found[places[0] + 1 :]
    return Page(found[:limit], more=len(found) > limit)


def _matching(found: list[Hypervisor], pattern: str) -> list[Hypervisor]:
    chosen = [h for h in found if pattern in h.host]
    if not chosen:
        raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return chosen


def get(ctx: Context, tx: Tx, id: str, rule: Rule, *, with_servers: bool = False) -> Hypervisor:
    rule.check(ctx)
    found = _all(tx, with_servers=with_servers)
    wanted = next((h for h in found if id == (h.id if ctx.version >= 53 else str(h.number))), None)
    if wanted is None:
        raise NotFound(f"Hypervisor with ID '{id}' could not be found.")
    return wanted


def search(ctx: Context, tx: Tx, pattern: str, rule: Rule, *, with_servers: bool) -> list[Hypervisor]:
    rule.check(ctx)
    return _matching(_all(tx, with_servers=with_servers), pattern)


def statistics(ctx: Context, tx: Tx) -> dict[str, Any]:
    policy.STATISTICS.check(ctx)
    totals = dict.fromkeys(
        ("count", "current_workload", "disk_available_least", "free_disk_gb", "free_ram_mb", "local_gb",
         "local_gb_used", "memory_mb", "memory_mb_used", "running_vms", "vcpus", "vcpus_used"), 0
    )  # fmt: skip
    for h in _all(tx):
        facts = h.facts
        totals["count"] += 1
        totals["running_vms"] += h.running_vms
        totals["vcpus"] += int(facts["vcpus"])
        totals["vcpus_used"] += h.vcpus_used
        totals["memory_mb"] += int(facts["memory_mib"])
        totals["memory_mb_used"] += h.memory_used_mib
        totals["local_gb"] += int(facts["disk_gib"])
        totals["local_gb_used"] += h.disk_used_gib
        totals["disk_available_least"] += int(facts["disk_free_gib"])
    totals["free_ram_mb"] = totals["memory_mb"] - totals["memory_mb_used"]
    totals["free_disk_gb"] = totals["local_gb"] - totals["local_gb_used"]
    return totals
