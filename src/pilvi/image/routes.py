"""The table of contents of the image API."""

from pilvi.image.cached_images import api as cached_images
from pilvi.image.cached_images import reconcile as cached_images_loop
from pilvi.image.faults import dress
from pilvi.image.image_data import reconcile as image_data
from pilvi.image.image_data.model import Holder
from pilvi.image.image_locations import api as image_locations
from pilvi.image.image_members import api as image_members
from pilvi.image.images import api as images
from pilvi.image.imports import api as imports
from pilvi.image.imports.model import ImportRules
from pilvi.image.imports.reconcile import Imports
from pilvi.image.metadef_entries import api as metadef_entries
from pilvi.image.metadef_namespaces import api as metadef_namespaces
from pilvi.image.metadef_resource_types import api as metadef_resource_types
from pilvi.image.property_protections.service import Watched
from pilvi.image.schemas import api as schemas
from pilvi.image.stores import api as stores_api
from pilvi.image.stores.model import stores_of
from pilvi.image.tags import api as tags
from pilvi.image.tasks import api as tasks
from pilvi.image.versions import api as versions
from pilvi.kernel.config import Config
from pilvi.kernel.http import Service
from pilvi.kernel.loop import Loop

GIB = 1024**3


def import_rules(config: Config) -> ImportRules:
    stores = stores_of(config)
    return ImportRules(stores, config.cloud.region, stores.allowed_hosts, config.image.largest_gib * GIB)


def services_of(config: Config) -> list[Service]:
    """The API, and the version documents above it."""
    rules = import_rules(config)
    stores = rules.stores
    rooms = (
        images.routes_for(stores, rules.methods, Watched(config)), image_locations.routes_for(stores),
        tags.routes, image_members.routes, schemas.routes,
        imports.routes_for(rules), tasks.routes_for(rules), metadef_namespaces.routes, metadef_entries.routes,
        metadef_resource_types.routes, stores_api.deletion_for(stores),
        stores_api.routes_for(stores, rules.methods), *cached_images.routes_for(stores),
    )  # fmt: skip
    api = Service(
        name="image", root="/image", prefix="/image/v2", dress=dress, slash_matters=True,
        routes=[route for room in rooms for route in room.routes],
    )  # fmt: skip
    root = Service("image_root", prefix="/image", dress=dress, routes=versions.routes_for(stores).routes)
    return [api, root]


def loops(config: Config) -> list[Loop]:
    return [image_data.loop(stores_of(config))]


def live_loops(config: Config, holder: Holder) -> list[Loop]:
    """Loops that move bytes, for the process that streams."""
    return [Imports(import_rules(config), holder).loop()]


def cache_loops(config: Config) -> list[Loop]:
    """The same for the cache, which takes its time: apart from those that people wait for."""
    found = cached_images_loop.loop(stores_of(config))
    return [] if found is None else [found]
