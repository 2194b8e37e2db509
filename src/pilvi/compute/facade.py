"""What other services and processes may ask of compute."""

from dataclasses import dataclass

from pilvi.compute.quotas import service as quotas
from pilvi.compute.remote_consoles import service as remote_consoles
from pilvi.compute.servers import service as servers
from pilvi.compute.services import service as services
from pilvi.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Console:
    """A redeemed console token: which guest's screen, and where."""

    server_id: str
    host: str
    kind: str


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
