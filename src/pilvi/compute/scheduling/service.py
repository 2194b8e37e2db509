"""Feeds the pure ranking with what placement and the hosts say, and claims what it chose in the same transaction."""

from collections.abc import Mapping

from pilvi.compute.scheduling.model import Amount, HostState, Ranking, Request, rank
from pilvi.compute.services import service as services
from pilvi.kernel import hosts
from pilvi.kernel.db import Tx
from pilvi.placement import facade as placement


def snapshot(tx: Tx) -> list[HostState]:
    """Every host that has an inventory, as it is in this transaction."""
    known = {host.id: host for host in hosts.all_hosts(tx)}
    settings = services.settings(tx)
    found = []
    for provider in placement.providers_snapshot(tx):
        host = known.get(provider.uuid)
        if host is None:
            continue
        setting = settings.get(host.name)
        found.append(
            HostState(
                name=host.name,
                provider_id=provider.uuid,
                resources={
                    name: Amount(i.total, i.reserved, i.allocation_ratio, i.used, i.max_unit)
                    for name, i in provider.inventories.items()
                },
                traits=frozenset(provider.traits),
                availability_zone=services.DEFAULT_ZONE,
                is_up=host.is_up() and not (setting and setting.forced_down),
                is_enabled=not (setting and setting.disabled),
                disabled_reason=(setting.disabled_reason or "") if setting else "",
            )
        )
    return found


def resources_of(flavor: Mapping[str, object], disk_gib: int) -> dict[str, int]:
    """What a flavor claims. Extra specs `resources:CLASS=n` overlay the plain numbers; 0 asks for none of it."""
    asked = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["ram"], "DISK_GB": disk_gib}
    specs = flavor["extra_specs"]
    assert isinstance(specs, Mapping)
    for key, value in specs.items():
        if str(key).startswith("resources:") and str(value).isdigit():
            asked[str(key)[10:]] = int(value)
    return {name: int(str(amount)) for name, amount in asked.items() if int(str(amount)) > 0}


def traits_of(flavor: Mapping[str, object], word: str) -> frozenset[str]:
    """Traits that extra specs `trait:NAME=required` (or `forbidden`) name."""
    specs = flavor["extra_specs"]
    assert isinstance(specs, Mapping)
    return frozenset(str(k)[6:] for k, v in specs.items() if str(k).startswith("trait:") and v == word)


def choose(tx: Tx, request: Request, among: list[HostState] | None = None) -> Ranking:
    return rank(snapshot(tx) if among is None else among, request)
