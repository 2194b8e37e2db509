"""Compute services: what is known of hosts, what operators decided about them."""

from dataclasses import replace

from pilvi.compute.services import policy, store
from pilvi.compute.services.model import DEFAULT_ZONE, ComputeService, Setting
from pilvi.kernel import clock, hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound

__all__ = ["DEFAULT_ZONE"]


def settings(tx: Tx) -> dict[str, Setting]:
    return {setting.host: setting for setting in store.all_settings(tx)}


def all_services(tx: Tx) -> list[ComputeService]:
    decided = settings(tx)
    return [_view(number, host, decided.get(host.name)) for number, host in enumerate(hosts.all_hosts(tx), 1)]


def _view(number: int, host: hosts.Host, setting: Setting | None) -> ComputeService:
    forced_down = bool(setting and setting.forced_down)
    return ComputeService(
        id=host.id,
        number=number,
        binary="nova-compute",
        host=host.name,
        zone=DEFAULT_ZONE,
        status="disabled" if setting and setting.disabled else "enabled",
        state="up" if host.is_up() and not forced_down else "down",
        updated_at=clock.timestamp(host.seen_at),
        disabled_reason=setting.disabled_reason if setting else None,
        forced_down=forced_down,
    )


def list_(ctx: Context, tx: Tx, *, host: str | None, binary: str | None) -> list[ComputeService]:
    policy.LIST.check(ctx)
    found = all_services(tx)
    return [s for s in found if (not host or s.host == host) and (not binary or s.binary == binary)]


def get(tx: Tx, id: str) -> ComputeService:
    found = next((s for s in all_services(tx) if s.id == id), None)
    if found is None:
        raise NotFound(f"Service {id} not found.")
    return found


def find_by_host(tx: Tx, host: str, binary: str) -> ComputeService:
    found = next((s for s in all_services(tx) if s.host == host and s.binary == binary), None)
    if found is None:
        raise NotFound(f"Service {binary} not found on host {host}.")
    return found


def update(
    ctx: Context,
    tx: Tx,
    service: ComputeService,
    *,
    disabled: bool | None = None,
    reason: str | None = None,
    forced_down: bool | None = None,
) -> ComputeService:
    policy.UPDATE.check(ctx)
    if disabled is None and forced_down is None:
        raise BadRequest("Nothing to change: give status or forced_down.")
    if reason is not None and not disabled:
        raise BadRequest("Specifying disabled_reason when status is enabled is invalid.")
    now = settings(tx).get(service.host) or Setting(service.host, False, None, False, clock.timestamp())
    if disabled is not None:
        now = replace(now, disabled=disabled, disabled_reason=reason if disabled else None)
    if forced_down is not None:
        now = replace(now, forced_down=forced_down)
    store.put(tx, replace(now, updated_at=clock.timestamp()))
    ctx.about("compute_service", service.id, service.host)
    return find_by_host(tx, service.host, service.binary)
