"""Images for agents: an agent may read the images of the servers on its own host, and no others."""

from aiohttp import web

from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Download
from pilvi.image.image_data.stream import ImageStreams
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound, Unavailable
from pilvi.live import compute
from pilvi.live.process import CTX, LiveProcess


class HostImages:
    def __init__(self, process: LiveProcess, images: ImageStreams) -> None:
        self._process = process
        self._images = images

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/agent/v1/images/{image_id}/file", self.download, allow_head=False)]

    async def download(self, request: web.Request) -> web.StreamResponse:
        host, image_id = self._process.host_of(request), request.match_info["image_id"]
        found = await self._process.read(lambda tx: find(tx, host, image_id, self._images.node))
        copy = await self._images.cached(found, request[CTX].request_id)
        if copy is None and found.url:
            raise Unavailable(f"Image {image_id} is being fetched into the cache; ask again.")
        return self._images.send(found, {}, copy)


def find(tx: Tx, host: str, image_id: str, node: str = "") -> Download:
    if not compute.uses_image(tx, host, image_id):
        raise NotFound(f"No server on {host} uses image {image_id}.")
    found = image_data.download_for_host(tx, image_id, node)
    if found is None:
        raise NotFound(f"Image {image_id} has no data.")
    return found
