"""What `live` asks of compute. Compute is imported when it is first asked, so that an idle `live` stays small."""

from pilvi.compute.remote_consoles.model import ConsoleToken
from pilvi.kernel.db import Tx


def redeem(tx: Tx, token: str) -> ConsoleToken:
    """Use a console's token up; raises Unauthorized when it is unknown, old or used."""
    from pilvi.compute.remote_consoles import service

    return service.redeem(tx, token)


def image_begins(tx: Tx, host: str, image_id: str) -> bool:
    """Whether the host sends an image of one of its servers that somebody waits for."""
    from pilvi.compute.servers import service

    return service.image_begins(tx, host, image_id) is not None


def image_arrived(tx: Tx, image_id: str) -> None:
    """In the transaction that makes the image active."""
    from pilvi.compute.servers import service

    service.image_arrived(tx, image_id)


def uses_image(tx: Tx, host: str, image_id: str) -> bool:
    """Whether a server on this host was made from the image."""
    from pilvi.compute.servers import service

    return any(server.image_id == image_id for server in service.on_host(tx, host))
