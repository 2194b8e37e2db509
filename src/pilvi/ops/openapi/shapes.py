"""Bodies and views as named JSON Schemas, each field with the microversion that brought it."""

import typing
from typing import Any

from pilvi.kernel.microversion import Versions
from pilvi.kernel.routing import Route
from pilvi.kernel.wire import FOREVER, Body, Field, ShownTo, View

Schema = dict[str, Any]


class Shapes:
    """Collects the named schemas of one document."""

    def __init__(self, versions: Versions | None, *, selects: bool = False) -> None:
        """`selects`: clients choose the attributes that they want to see, so none is sure to be there."""
        self.versions = versions
        self.selects = selects
        self.schemas: dict[str, Schema] = {}

    def text(self, version: int) -> str:
        return self.versions.text(version) if self.versions is not None else str(version)

    def newest(self, route: Route) -> int:
        """The newest microversion that still has the route."""
        return min(route.until, self.versions.maximum) if self.versions is not None else 0

    # -- bodies ----------------------------------------------------------------------------------------------------

    def body(self, route: Route) -> Schema | None:
        """What to send, or None where nothing is read."""
        version = self.newest(route)
        if route.raw:
            shape = route.shape
            if callable(shape):
                shape = shape(version)
            return self._acted(route, dict(shape or {}))
        if route.body is None:
            return self._acted(route, None)
        name = _name(route.body)
        if name not in self.schemas:
            self.schemas[name] = {}  # Taken, whatever happens below.
            self.schemas[name] = self._document(route.body, version)
        found = _ref(name)
        if route.body.plural and route.body.root:
            inner = route.body.schema(version)
            many = {"type": "array", "minItems": 1, "items": inner}
            plural = {"type": "object", "required": [route.body.plural], "properties": {route.body.plural: many}}
            found = {"anyOf": [found, plural]}
        return self._acted(route, found, route.body)

    def _acted(self, route: Route, schema: Schema | None, body: type[Body] | None = None) -> Schema | None:
        """An entry of an action table: the key chooses it, whatever stands behind the key."""
        if not route.action or (body is not None and body.root == route.action):
            return schema
        return {"type": "object", "required": [route.action], "properties": {route.action: {}}}

    def _document(self, body: type[Body], version: int) -> Schema:
        schema = dict(body.document(version))
        doc = (body.__doc__ or "").strip() if body.__doc__ != Body.__doc__ else ""
        if doc:
            schema["description"] = _one_line(doc)
        self._mark(body.own_fields(), [schema, schema.get("properties", {}).get(body.root, {})], version)
        return schema

    def _mark(self, fields: tuple[Field, ...], holders: list[Schema], version: int) -> None:
        """Say since and until which microversion a field is there, and who sees it."""
        for field in fields:
            for holder in holders:
                schema = holder.get("properties", {}).get(field.name)
                if schema is None:
                    continue
                if field.since:
                    schema["x-pilvi-since"] = self.text(field.since)
                if field.until != FOREVER:
                    schema["x-pilvi-until"] = self.text(field.until)
                gate = field.mark(ShownTo)
                if gate is not None:
                    schema["x-pilvi-shown-to"] = gate.rule.name
        there = {f.name for f in fields if f.present(version)}
        gone = {f.name: self.text(f.until) for f in fields if f.until < version and f.name not in there}
        if gone:
            holders[0]["x-pilvi-gone-after"] = gone

    # -- views -----------------------------------------------------------------------------------------------------

    def answer(self, route: Route) -> Schema | None:
        """The body of a success, root key included, or None where no view says it."""
        view = route.view
        if view is None:
            return None
        name = _name(view)
        if name not in self.schemas:
            version = self.newest(route)
            schema = view.schema(version)
            if self.selects:
                del schema["required"]
            self._mark(view.own_fields(), [schema], version)
            self.schemas[name] = schema
        if _is_list(route):
            return self._many(view, name)
        if route.body is not None and route.body.plural:
            return {"anyOf": [self._one(view, name), self._many(view, name)]}
        return self._one(view, name)

    def _one(self, view: type[View], name: str) -> Schema:
        return _under(view.root, _ref(name)) if view.root else _ref(name)

    def _many(self, view: type[View], name: str) -> Schema:
        schema = _under(view.plural, {"type": "array", "items": _ref(name)})
        if view.links:
            schema["properties"][view.links] = {"type": "array", "items": {"type": "object"}}
        return schema


def _is_list(route: Route) -> bool:
    returned = typing.get_type_hints(route.handler).get("return")
    origin = typing.get_origin(returned) or returned
    return getattr(origin, "__name__", "") in ("Page", "list")


def _under(key: str, schema: Schema) -> Schema:
    return {"type": "object", "required": [key], "properties": {key: schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _name(shape: type) -> str:
    """`servers.ServerCreate`: the room and the class."""
    parts = shape.__module__.split(".")
    room = parts[2] if len(parts) > 3 else parts[-1]
    return f"{room}.{shape.__name__}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
