"""What other services and processes may ask of compute."""

from dataclasses import dataclass

from pilvi.compute.quotas import service as quotas
from pilvi.compute.remote_consoles import service as remote_consoles
from pilvi.compute.servers import service as servers
from pilvi.compute.services import service as services
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.network import facade as network


@dataclass(frozen=True, slots=True)
class Console:
    """A redeemed console token: which guest's screen, and where."""

    server_id: str
    host: str
    kind: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Where such a server would go now, best host first, and why not elsewhere: host → reason."""

    hosts: tuple[str, ...]
    refused: dict[str, str]


def trial(
    ctx: Context, tx: Tx, *, flavor_id: str, image_id: str, network_id: str | None = None, host: str | None = None
) -> Trial:
    """Asks the scheduler and makes nothing. Raises the fault that a real request would meet before it."""
    networks = [] if network_id is None else [network.NicRequest(network_id=network_id)]
    zone = None if host is None else f":{host}"
    wish = servers.Wish("trial", flavor_id, image_id, networks, availability_zone=zone)
    ranking = servers.trial(ctx, tx, wish)
    return Trial(tuple(h.name for h in ranking.hosts), {r.host: r.reason for r in ranking.refused})


def redeem_console(tx: Tx, token: str) -> Console:
    """Use a console token up. Raises Unauthorized when it is unknown, old or used, or its server is gone."""
    found = remote_consoles.redeem(tx, token)
    return Console(found.server_id, found.host, found.kind)


def host_needs_image(tx: Tx, host: str, image_id: str) -> bool:
    """Whether a server on this host was made from the image: only then may the host's agent fetch it."""
    return servers.host_needs_image(tx, host, image_id)


def limits_of(tx: Tx, project_id: str) -> dict[str, int]:
    """The quota in force for a project: resource → limit, -1 for none."""
    return quotas.limits_of(tx, project_id)


def disabled_reason(tx: Tx, host: str) -> str | None:
    """Why an operator closed a host for new servers; None when it is open."""
    setting = services.settings(tx).get(host)
    return (setting.disabled_reason or "") if setting is not None and setting.disabled else None
