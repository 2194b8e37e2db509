"""The table of contents of the image API."""

from pilvi.image.faults import dress
from pilvi.image.image_data import reconcile as image_data
from pilvi.image.image_members import api as image_members
from pilvi.image.images import api as images
from pilvi.image.schemas import api as schemas
from pilvi.image.stores import api as stores_api
from pilvi.image.stores.model import stores_of
from pilvi.image.tags import api as tags
from pilvi.image.versions import api as versions
from pilvi.kernel.config import Config
from pilvi.kernel.http import Service
from pilvi.kernel.loop import Loop

IMPORT_METHODS: tuple[str, ...] = ()


def services_of(config: Config) -> list[Service]:
    """The API, and the version documents above it."""
    stores = stores_of(config)
    rooms = (
        images.routes_for(stores, IMPORT_METHODS), tags.routes, image_members.routes, schemas.routes,
        stores_api.routes_for(stores, IMPORT_METHODS),
    )  # fmt: skip
    api = Service(
        name="image", root="/image", prefix="/image/v2", dress=dress, slash_matters=True,
        routes=[route for room in rooms for route in room.routes],
    )  # fmt: skip
    root = Service("image_root", prefix="/image", dress=dress, routes=versions.routes_for(stores).routes)
    return [api, root]


def loops(config: Config) -> list[Loop]:
    return [image_data.loop(stores_of(config))]
