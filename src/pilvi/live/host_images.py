"""Images for agents: one may read the images of the servers on its own host and send those made of them, no others."""

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
        path = "/agent/v1/images/{image_id}/file"
        return [web.get(path, self.download, allow_head=False), web.put(path, self.upload)]

    async def download(self, request: web.Request) -> web.StreamResponse:
        host, image_id = self._process.host_of(request), request.match_info["image_id"]
        found = await self._process.read(lambda tx: find(tx, host, image_id, self._images.node))
        copy = await self._images.cached(found, request[CTX].request_id)
        if copy is None and found.url:
            raise Unavailable(f"Image {image_id} is being fetched into the cache; ask again.")
        return await self._images.send(request, found, {}, copy)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """An image that this host was asked to make of a server; 410 once nobody waits for it."""
        host, image_id = self._process.host_of(request), request.match_info["image_id"]
        await self._images.receive(
            request,
            image_id,
            expected=lambda tx: compute.image_begins(tx, host, image_id),
            arrived=lambda tx: compute.image_arrived(tx, image_id),
        )
        return web.Response(status=204)


def find(tx: Tx, host: str, image_id: str, node: str = "") -> Download:
    if not compute.uses_image(tx, host, image_id):
        raise NotFound(f"No server on {host} uses image {image_id}.")
    found = image_data.download_for_host(tx, image_id, node)
    if found is None:
        raise NotFound(f"Image {image_id} has no data.")
    return found
