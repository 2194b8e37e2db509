"""Locations: addresses of an image's bytes that are not in a store of ours, as those who may give them by PATCH. Pure.

Off unless the operator says `show_locations`: who may add a location decides what others read as the image's bytes.
"""

from dataclasses import replace
from typing import Any, Final

import jsonschema_rs

from pilvi.image.images.model import Change, Image, Status
from pilvi.image.imports.model import check_uri
from pilvi.image.schemas.model import IMAGE_PROPERTIES
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden, TooLarge
from pilvi.kernel.wire import explain

WEB_STORE: Final = "web"
LOCATIONS_LIMIT: Final = 10
DIGEST_LENGTHS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
_SCHEMA: Final = IMAGE_PROPERTIES["locations"]
_VALIDATOR: Final = jsonschema_rs.Draft202012Validator(_SCHEMA)

Locations = list[dict[str, Any]]


def shown(image: Image) -> Locations:
    """As clients see them."""
    return [{"url": url_of(image, place), "metadata": place.get("metadata", {})} for place in image.locations]


def url_of(image: Image, place: dict[str, Any]) -> str:
    return str(place.get("url") or f"pilvi://{place['store']}/{image.id}")


def apply(image: Image, change: Change, allowed_hosts: frozenset[str]) -> Image:
    """The image after one step of a patch below `/locations`."""
    match change.op, change.rest:
        case "add", (place,):
            return _add(image, place, _valid([change.value])[0], allowed_hosts)
        case "replace", ():
            return _replace(image, _valid(change.value), allowed_hosts)
        case "remove", (place,):
            return _remove(image, place)
    raise BadRequest("Locations are added at /locations/-, replaced at /locations and removed at /locations/NUMBER.")


def _valid(value: Any) -> Locations:
    if not _VALIDATOR.is_valid(value):
        raise BadRequest(f"Invalid locations: {explain(_VALIDATOR, value)}")
    locations: Locations = value
    return locations


def _add(image: Image, place: str, given: dict[str, Any], allowed_hosts: frozenset[str]) -> Image:
    if image.status not in (Status.QUEUED, Status.ACTIVE):
        raise Conflict(f"It's not allowed to add locations if image status is {image.status}.")
    if len(image.locations) >= LOCATIONS_LIMIT:
        raise TooLarge(f"An image has {LOCATIONS_LIMIT} locations at most.")
    if given["url"] in [url_of(image, other) for other in image.locations]:
        raise BadRequest(f"Duplicate location: {given['url']}")
    check_uri(given["url"], allowed_hosts)
    at = len(image.locations) if place == "-" else _index(place, len(image.locations) + 1)
    if image.status == Status.QUEUED and None in (image.disk_format, image.container_format):
        raise BadRequest("Properties disk_format, container_format must be set prior to saving data.")
    new = {"store": WEB_STORE, "url": given["url"], "metadata": given["metadata"]}
    image = _with_digests(image, given.get("validation_data"))
    locations = [*image.locations[:at], new, *image.locations[at:]]
    return replace(image, locations=locations, status=Status.ACTIVE)


def _with_digests(image: Image, given: dict[str, str] | None) -> Image:
    """What the giver says of the bytes: new knowledge for a queued image, a thing to agree with later."""
    if given is None:
        return image
    names = ("checksum", "os_hash_algo", "os_hash_value")
    if image.status == Status.ACTIVE:
        if any(given.get(name) not in (None, getattr(image, name)) for name in names):
            raise Conflict("validation_data does not agree with what is known of the image.")
        return image
    if DIGEST_LENGTHS.get(given["os_hash_algo"]) != len(given["os_hash_value"]):
        raise BadRequest(f"os_hash_value must be a digest of one of {', '.join(DIGEST_LENGTHS)}, in hexadecimal.")
    return replace(image, **{name: given.get(name) for name in names})  # type: ignore[arg-type]


def _index(text: str, count: int) -> int:
    if not text.isdigit() or len(text) > 4 or int(text) >= count:
        raise BadRequest(f"Invalid location index {text[:20]}: the image has {count} places.")
    return int(text)


def _replace(image: Image, given: Locations, allowed_hosts: frozenset[str]) -> Image:
    """For an image that has none, all at once; else only what is said of each may change."""
    if not image.locations:
        for location in given:
            image = _add(image, "-", location, allowed_hosts)
        return image
    if [entry["url"] for entry in given] != [url_of(image, place) for place in image.locations]:
        raise BadRequest("Replacing locations may change their metadata only; add and remove them one by one.")
    changed = [{**place, "metadata": new["metadata"]} for place, new in zip(image.locations, given, strict=True)]
    return replace(image, locations=changed)


def _remove(image: Image, place: str) -> Image:
    at = _index(place, len(image.locations))
    if len(image.locations) == 1:
        raise Forbidden("Image must have at least one location; the last one cannot be removed.")
    return replace(image, locations=[*image.locations[:at], *image.locations[at + 1 :]])
