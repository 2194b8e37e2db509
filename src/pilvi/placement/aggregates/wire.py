from pilvi.placement.validation import GENERATION, UUID, Schemas, strict

_MANY = {"type": "array", "items": UUID, "uniqueItems": True, "maxItems": 1000}
AGGREGATES = Schemas(
    {
        0: _MANY,
        19: strict(
            {"aggregates": _MANY, "resource_provider_generation": GENERATION},
            ["aggregates", "resource_provider_generation"],
        ),
    }
)
GENERATION_SINCE = 19
