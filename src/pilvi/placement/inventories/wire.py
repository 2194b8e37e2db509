from typing import Any

from pilvi.placement.inventories.model import Inventory
from pilvi.placement.validation import CLASS_PATTERN, GENERATION, MOST, Document, Schemas, strict

_NUMBER = {"type": "integer", "minimum": 1, "maximum": MOST}
_FIELDS = {
    "total": _NUMBER,
    "reserved": {"type": "integer", "minimum": 0, "maximum": MOST},
    "min_unit": _NUMBER,
    "max_unit": _NUMBER,
    "step_size": _NUMBER,
    "allocation_ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 3.40282e38},
}
_CLASS = {"type": "string", "pattern": CLASS_PATTERN, "minLength": 1, "maxLength": 255}
MANY = {
    "type": "object",
    "patternProperties": {CLASS_PATTERN: strict(_FIELDS, ["total"])},
    "additionalProperties": False,
    "maxProperties": 1000,
}


class InventoryCreate(Document):
    schemas = Schemas(
        {
            0: strict(
                {"resource_provider_generation": GENERATION, "resource_class": _CLASS, **_FIELDS},
                ["resource_class", "total"],
            )
        }
    )


class InventoryReplace(Document):
    schemas = Schemas(
        {0: strict({"resource_provider_generation": GENERATION, **_FIELDS}, ["total", "resource_provider_generation"])}
    )


class InventoriesReplace(Document):
    schemas = Schemas(
        {
            0: strict(
                {"resource_provider_generation": GENERATION, "inventories": MANY},
                ["resource_provider_generation", "inventories"],
            )
        }
    )


def fields(inventory: Inventory) -> dict[str, Any]:
    return {name: getattr(inventory, name) for name in _FIELDS}


def shown(inventory: Inventory, generation: int) -> dict[str, Any]:
    return {"resource_provider_generation": generation, **fields(inventory)}


def shown_all(inventories: list[Inventory], generation: int) -> dict[str, Any]:
    return {
        "resource_provider_generation": generation,
        "inventories": {i.resource_class: fields(i) for i in inventories},
    }
