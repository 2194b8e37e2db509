"""A cloud whose image service is asked, with a way to give images data without `live`."""

from pathlib import Path
from typing import Any

import pytest

from pilvi.identity import facade as identity
from pilvi.identity import routes as identity_routes
from pilvi.image import routes as image_routes
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.config import CloudConfig, Config, Secret
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database
from pilvi.kernel.http import Edge
from tests.contract.client import Client
from tests.contract.conftest import settle


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cloud=CloudConfig(state_dir=tmp_path))


@pytest.fixture
def images(database: Database, config: Config) -> Client:
    """A client of the image API as a member of project demo."""
    services = [identity_routes.service(config), *image_routes.services_of(config)]
    edge = Edge(
        database, services, identity.authenticate, public_url=config.cloud.public_url, front_secret=Secret("front")
    )
    cloud = settle(Client(edge.application(), {}, database=database))
    return cloud.at("/image/v2").as_member()


def made(client: Client, **given: Any) -> dict[str, Any]:
    reply = client.post("/images", {"disk_format": "raw", "container_format": "bare", **given})
    assert reply.status == 201, reply.content
    body: dict[str, Any] = reply.body
    return body


def fill(client: Client, id: str, size: int = 1024) -> None:
    """As if the bytes had come through `live`."""
    ctx = internal("req-test")
    received = Received(size, size, "0" * 32, "a" * 128)
    transfer = client.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file"))
    client.database.write(lambda tx: image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,)))


NEW = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
OLD = {"Content-Type": "application/openstack-images-v2.0-json-patch"}
