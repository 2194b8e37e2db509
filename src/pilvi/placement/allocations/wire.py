"""Bodies of allocations, which changed shape more often than anything else here."""

import uuid
from typing import Any

from pilvi.kernel.context import Context
from pilvi.placement.allocations.model import UNKNOWN_TYPE, Allocation, Consumer, Wish
from pilvi.placement.validation import CLASS_PATTERN, MOST, UUID, Document, Schemas, strict

_RESOURCES = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1000,
    "patternProperties": {CLASS_PATTERN: {"type": "integer", "minimum": 1, "maximum": MOST}},
    "additionalProperties": False,
}
_OWNER = {"type": "string", "minLength": 1, "maxLength": 255}
_OWNERS: dict[str, Any] = {"project_id": _OWNER, "user_id": _OWNER}
_LIST = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "items": strict(
        {"resource_provider": strict({"uuid": UUID}, ["uuid"]), "resources": _RESOURCES},
        ["resource_provider", "resources"],
    ),
}
UUID_PATTERN = "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"
CONSUMER_TYPE_PATTERN = "^[A-Z0-9_]+$"


def _dict(least: int) -> dict[str, Any]:
    one = strict({"resources": _RESOURCES, "generation": {"type": "integer"}}, ["resources"])
    return {
        "type": "object",
        "minProperties": least,
        "maxProperties": 1000,
        "patternProperties": {UUID_PATTERN: one},
        "additionalProperties": False,
    }


_GENERATION = {"consumer_generation": {"type": ["integer", "null"]}}
_MAPPINGS = {
    "mappings": {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {
            "^[a-zA-Z0-9_-]{0,64}$": {"type": "array", "minItems": 1, "items": UUID},
        },
        "additionalProperties": False,
    }
}
_TYPE = {"consumer_type": {"type": "string", "pattern": CONSUMER_TYPE_PATTERN, "minLength": 1, "maxLength": 255}}


def _steps(least_12: int, least_28: int) -> dict[int, dict[str, Any]]:
    """What one consumer's document is, from 1.12 on."""
    owned = ["allocations", "project_id", "user_id"]
    with_generation = [*owned, "consumer_generation"]
    base_28 = {"allocations": _dict(least_28), **_OWNERS, **_GENERATION}
    return {
        12: strict({"allocations": _dict(least_12), **_OWNERS}, owned),
        28: strict(base_28, with_generation),
        34: strict({**base_28, **_MAPPINGS}, with_generation),
        38: strict({**base_28, **_MAPPINGS, **_TYPE}, [*with_generation, "consumer_type"]),
    }


ONE = _steps(1, 0)
SEVERAL = _steps(0, 0)


def _many(one: dict[str, Any], least: int = 1) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": least,
        "maxProperties": 1000,
        "patternProperties": {UUID_PATTERN: one},
        "additionalProperties": False,
    }


MANY = {version: _many(one, 0) for version, one in SEVERAL.items()}
"""Consumers by id, for the reshaper."""


class AllocationsPut(Document):
    schemas = Schemas(
        {
            0: strict({"allocations": _LIST}, ["allocations"]),
            8: strict({"allocations": _LIST, **_OWNERS}, ["allocations", "project_id", "user_id"]),
            **ONE,
        }
    )


class AllocationsPost(Document):
    schemas = Schemas({0 if version == 12 else version: _many(one) for version, one in SEVERAL.items()})


def wish(consumer_uuid: str, body: dict[str, Any]) -> Wish:
    """What a document asks for, in whichever shape it came."""
    given = body["allocations"]
    if isinstance(given, list):
        given = {entry["resource_provider"]["uuid"]: entry for entry in given}
    amounts = {str(uuid.UUID(provider)): entry["resources"] for provider, entry in given.items()}
    if "project_id" not in body:
        return Wish(str(uuid.UUID(consumer_uuid)), amounts, keeps_owner=True)
    consumer_type = body.get("consumer_type")
    return Wish(str(uuid.UUID(consumer_uuid)), amounts, body["project_id"], body["user_id"], consumer_type)


OWNERS_SINCE, GENERATION_SINCE, TYPE_SINCE = 12, 28, 38


def of_consumer(
    ctx: Context, held: list[Allocation], consumer: Consumer | None, generations: dict[str, int]
) -> dict[str, Any]:
    """The answer to what a consumer holds."""
    found: dict[str, Any] = {}
    for allocation in held:
        place = found.setdefault(
            allocation.provider_uuid, {"resources": {}, "generation": generations[allocation.provider_uuid]}
        )
        place["resources"][allocation.resource_class] = allocation.used
    document: dict[str, Any] = {"allocations": found}
    if not found or consumer is None or ctx.version < OWNERS_SINCE:
        return document
    document |= {"project_id": consumer.project_id, "user_id": consumer.user_id}
    if ctx.version >= GENERATION_SINCE:
        document["consumer_generation"] = consumer.generation
    if ctx.version >= TYPE_SINCE:
        document["consumer_type"] = consumer.consumer_type or UNKNOWN_TYPE
    return document


def of_provider(
    ctx: Context, held: list[Allocation], consumers: dict[str, Consumer], generation: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for allocation in held:
        place = found.setdefault(allocation.consumer_uuid, {"resources": {}})
        place["resources"][allocation.resource_class] = allocation.used
        if ctx.version >= GENERATION_SINCE:
            place["consumer_generation"] = consumers[allocation.consumer_uuid].generation
    return {"allocations": found, "resource_provider_generation": generation}
