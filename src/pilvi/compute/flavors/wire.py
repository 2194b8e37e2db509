"""What clients send and see of flavors."""

from typing import Annotated, Any

from pilvi.compute.flavors.model import Flavor
from pilvi.kernel import links
from pilvi.kernel.context import Context
from pilvi.kernel.wire import Body, From, Length, Lenient, Name, Pattern, Range, Schema, Since, View

TEXT = r"^\S(.*\S)?$"
LARGEST = 2**31 - 1


class FlavorCreate(Body, root="flavor"):
    name: Annotated[str, Length(1, 255), Pattern(TEXT)]
    ram: Annotated[int, Lenient(), Range(1, LARGEST)]
    vcpus: Annotated[int, Lenient(), Range(1, LARGEST)]
    disk: Annotated[int, Lenient(), Range(0, LARGEST)]
    id: Annotated[str | None, Schema({"type": ["string", "number", "null"], "maxLength": 255})] = None
    swap: Annotated[int, Lenient(), Range(0, LARGEST)] = 0
    ephemeral: Annotated[int, Lenient(), Range(0, LARGEST), Name("OS-FLV-EXT-DATA:ephemeral")] = 0
    rxtx_factor: Annotated[float, Lenient()] = 1.0
    is_public: Annotated[bool, Lenient(), Name("os-flavor-access:is_public")] = True
    description: Annotated[str | None, Length(0, 65535), Since("2.55")] = None


class FlavorUpdate(Body, root="flavor"):
    description: Annotated[str | None, Length(0, 65535)]


class ExtraSpecs(Body, root="extra_specs", extra=True):
    """Any key with a string value."""


ONE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number"], "maxLength": 255},
    "minProperties": 1,
    "maxProperties": 1,
}
"""One extra spec at its own address: its key, once more, and its value."""


class AddAccess(Body, root="addTenantAccess"):
    tenant: Annotated[str, Length(1, 255)]


class RemoveAccess(Body, root="removeTenantAccess"):
    tenant: Annotated[str, Length(1, 255)]


def flavor_links(flavor: Flavor, ctx: Context) -> list[dict[str, str]]:
    return links.resource(ctx, "v2.1", f"/flavors/{flavor.id}")


class FlavorBrief(View, root="flavor", plural="flavors", links="flavors_links"):
    id: str
    name: str
    own_links: Annotated[Any, Name("links"), From(flavor_links)]
    description: Annotated[str | None, Since("2.55")]


class FlavorView(View, root="flavor", plural="flavors", links="flavors_links"):
    id: str
    name: str
    ram: int
    vcpus: int
    disk: int
    swap: Annotated[Any, From(lambda f: f.swap or "")]
    ephemeral: Annotated[int, Name("OS-FLV-EXT-DATA:ephemeral")]
    disabled: Annotated[bool, Name("OS-FLV-DISABLED:disabled")]
    is_public: Annotated[bool, Name("os-flavor-access:is_public")]
    rxtx_factor: float
    own_links: Annotated[Any, Name("links"), From(flavor_links)]
    description: Annotated[str | None, Since("2.55")]
    extra_specs: Annotated[dict[str, str], Since("2.61")]
