from typing import Any

from pilvi.kernel.context import Context
from pilvi.placement.resource_providers.model import Provider
from pilvi.placement.validation import UUID, Document, Schemas, strict
from pilvi.placement.wire import path

NESTED_SINCE = 14
_NAME = {"type": "string", "minLength": 1, "maxLength": 200}
_PARENT = {"anyOf": [UUID, {"type": "null"}]}
LINKS = {"self": 0, "inventories": 0, "usages": 0, "aggregates": 1, "traits": 6, "allocations": 11}
"""What a provider links to, and since when."""


class ProviderCreate(Document):
    schemas = Schemas(
        {
            0: strict({"name": _NAME, "uuid": UUID}, ["name"]),
            14: strict({"name": _NAME, "uuid": UUID, "parent_provider_uuid": _PARENT}, ["name"]),
        }
    )


class ProviderUpdate(Document):
    schemas = Schemas(
        {0: strict({"name": _NAME}, ["name"]), 14: strict({"name": _NAME, "parent_provider_uuid": _PARENT}, ["name"])}
    )


def shown(provider: Provider, ctx: Context) -> dict[str, Any]:
    base = path(ctx, f"/resource_providers/{provider.uuid}")
    links = [
        {"rel": rel, "href": base if rel == "self" else f"{base}/{rel}"}
        for rel, since in LINKS.items()
        if ctx.version >= since
    ]
    document: dict[str, Any] = {
        "uuid": provider.uuid,
        "name": provider.name,
        "generation": provider.generation,
        "links": links,
    }
    if ctx.version >= NESTED_SINCE:
        document["parent_provider_uuid"] = provider.parent_uuid
        document["root_provider_uuid"] = provider.root_uuid
    return document
