from typing import Any

from pilvi.kernel.context import Context
from pilvi.placement.resource_classes.model import CUSTOM_PATTERN, ResourceClass
from pilvi.placement.validation import Document, Schemas, strict
from pilvi.placement.wire import path

NAME = {"type": "string", "pattern": CUSTOM_PATTERN, "minLength": 1, "maxLength": 255}
NAME_SCHEMA = Schemas({0: strict({"name": NAME}, ["name"])})


class ResourceClassCreate(Document):
    schemas = NAME_SCHEMA


class ResourceClassRename(Document):
    schemas = NAME_SCHEMA


def shown(found: ResourceClass, ctx: Context) -> dict[str, Any]:
    link = {"rel": "self", "href": path(ctx, f"/resource_classes/{found.name}")}
    return {"name": found.name, "links": [link]}
