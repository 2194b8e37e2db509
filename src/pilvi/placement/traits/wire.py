from pilvi.placement.validation import GENERATION, Document, Schemas, strict

_TRAIT = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Z0-9_]+$"}


class ProviderTraits(Document):
    schemas = Schemas(
        {
            0: strict(
                {
                    "resource_provider_generation": GENERATION,
                    "traits": {"type": "array", "items": _TRAIT, "maxItems": 1000},
                },
                ["traits", "resource_provider_generation"],
            )
        }
    )
