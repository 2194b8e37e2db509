from pilvi.placement.allocations.wire import MANY as CONSUMERS
from pilvi.placement.allocations.wire import UUID_PATTERN
from pilvi.placement.inventories.wire import MANY as INVENTORIES
from pilvi.placement.validation import GENERATION, Document, Schemas, strict

_PROVIDERS = {
    "type": "object",
    "maxProperties": 1000,
    "patternProperties": {
        UUID_PATTERN: strict(
            {"resource_provider_generation": GENERATION, "inventories": INVENTORIES},
            ["resource_provider_generation", "inventories"],
        )
    },
    "additionalProperties": False,
}


class Reshape(Document):
    schemas = Schemas(
        {
            0 if since == 28 else since: strict(
                {"inventories": _PROVIDERS, "allocations": CONSUMERS[since]}, ["inventories", "allocations"]
            )
            for since in (28, 34, 38)
        }
    )
