"""Checks JSON and query strings against schemas and says what is wrong in the words that placement's clients know."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jsonschema_rs

from pilvi.kernel.errors import BadRequest
from pilvi.kernel.wire import FORMATS, Body

Says = Callable[[Any, Any, dict[str, Any]], str]


def _unexpected(value: Any, _: Any, schema: dict[str, Any]) -> str:
    known = schema.get("properties", {})
    patterns = list(schema.get("patternProperties", {}))
    extra = [repr(k) for k in value if k not in known]
    if patterns:
        import re

        extra = [repr(k) for k in value if k not in known and not any(re.search(p, k) for p in patterns)]
        verb = "does" if len(extra) == 1 else "do"
        return f"{', '.join(extra)} {verb} not match any of the regexes: {', '.join(repr(p) for p in sorted(patterns))}"
    verb = "was" if len(extra) == 1 else "were"
    return f"Additional properties are not allowed ({', '.join(extra)} {verb} unexpected)"


def _wrong_type(value: Any, wanted: Any, _: dict[str, Any]) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return f"{value!r} is not of type {', '.join(repr(n) for n in names)}"


_SAYS: dict[str, Says] = {
    "required": lambda v, w, s: f"{next(n for n in w if n not in v)!r} is a required property",
    "additionalProperties": _unexpected,
    "type": _wrong_type,
    "minimum": lambda v, w, s: f"{v!r} is less than the minimum of {w!r}",
    "maximum": lambda v, w, s: f"{v!r} is greater than the maximum of {w!r}",
    "minLength": lambda v, w, s: f"{v!r} is too short",
    "maxLength": lambda v, w, s: f"{v!r} is too long",
    "pattern": lambda v, w, s: f"{v!r} does not match {w!r}",
    "format": lambda v, w, s: f"{v!r} is not a {w!r}",
    "minItems": lambda v, w, s: f"{v!r} is too short: it should be non-empty",
    "minProperties": lambda v, w, s: f"{v!r} does not have enough properties",
    "uniqueItems": lambda v, w, s: f"{v!r} has non-unique elements",
    "enum": lambda v, w, s: f"{v!r} is not one of {w!r}",
}


def _at(document: Any, path: list[Any]) -> Any:
    for part in path:
        document = document[part]
    return document


def explain(schema: dict[str, Any], error: Any) -> str:
    path = list(error.schema_path)
    keyword = str(path[-1])
    holder = _at(schema, path[:-1])
    if keyword not in _SAYS or keyword not in holder:
        return str(error.message)
    place = "".join(f"[{part!r}]" for part in path[:-1])
    message = _SAYS[keyword](error.instance, holder[keyword], holder)
    if len(message) > 1000:
        message = message[:1000] + "…"
    return f"{message}\n\nFailed validating {keyword!r} in schema{place}"


class Schemas:
    """One document's schema per microversion in which it changed. The newest that is not too new is in force."""

    def __init__(self, versions: Mapping[int, dict[str, Any]], prefix: str = "JSON does not validate") -> None:
        self.versions = dict(sorted(versions.items(), reverse=True))
        self.prefix = prefix
        self._validators: dict[int, Any] = {}

    def _in_force(self, version: int) -> int:
        return next(since for since in self.versions if since <= version)

    def at(self, version: int) -> dict[str, Any]:
        """The schema in force at this microversion."""
        return self.versions[self._in_force(version)]

    def check(self, document: Any, version: int) -> None:
        since = self._in_force(version)
        validator = self._validators.get(since)
        if validator is None:
            validator = self._validators[since] = jsonschema_rs.Draft202012Validator(
                self.versions[since], formats=FORMATS, validate_formats=True
            )
        if not validator.is_valid(document):
            error = next(iter(validator.iter_errors(document)))
            raise BadRequest(f"{self.prefix}: {explain(self.versions[since], error)}")


class Document(Body, extra=True):
    """A body that stays the JSON that it was; placement's documents are mappings by id and class."""

    schemas: ClassVar[Schemas]

    @classmethod
    def document(cls, version: int) -> dict[str, Any]:
        return cls.schemas.at(version)

    @classmethod
    def parse(cls, raw: Any, version: int) -> Any:
        cls.schemas.check(raw, version)
        return raw


def strict(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """An object that takes these properties only."""
    schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return schema | ({"required": required} if required else {})


UUID = {"type": "string", "format": "uuid"}
GENERATION = {"type": "integer"}
CLASS_PATTERN = "^[A-Z0-9_]+$"
MOST = 2_147_483_647
