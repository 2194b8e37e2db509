"""One operation of a document: all routes of one method and path."""

import re
from collections.abc import Sequence
from typing import Any, Final, get_type_hints

from pilvi.kernel.http import Service
from pilvi.kernel.routing import Answer, Route
from pilvi.kernel.wire import FOREVER
from pilvi.ops.openapi.recorded import Seen, seen
from pilvi.ops.openapi.shapes import Shapes

Operation = dict[str, Any]
DESCRIBED: Final = {
    200: "Done.", 201: "Made.", 202: "Taken; it goes on.", 204: "Done; there is nothing to say.", 206: "A part.",
    300: "Several versions.",
}  # fmt: skip
OURS: Final = {"x-auth-token", "openstack-api-version", "content-type", "accept", "idempotency-key"}
"""Headers that belong to no operation of its own."""
LISTS: Final = {
    "limit": {"type": "integer", "minimum": 0},
    "marker": {"type": "string"},
    "page_reverse": {"type": "boolean"},
    "sort_dir": {"enum": ["asc", "desc"]},
}


def operation(service: Service, path: str, routes: Sequence[Route], shapes: Shapes) -> Operation:
    """`routes` share a method and a path: one, an action table, or one for each span of microversions."""
    newest = max(routes, key=lambda r: (r.until, r.since))
    method = newest.method
    result: Operation = {
        "operationId": _id(method, path),
        "summary": _summary(newest) if not newest.action else "Do something with it: the body's key says what.",
        "tags": [_room(newest)],
        "parameters": _parameters(service, newest),
    }
    doc = newest.handler.__doc__
    if doc and not newest.action:
        result["description"] = " ".join(doc.split())
    if newest.auth == "none":
        result["security"] = []
    result |= _marks(newest, shapes) if not newest.action else {}
    body = _body(routes, shapes)
    if body is not None:
        result["requestBody"] = body
    older = [r for r in routes if r is not newest and not newest.action]
    if older:
        result["x-pilvi-before"] = [_marks(r, shapes) | {"status": r.status_at(shapes.newest(r))} for r in older]
    if not newest.action and _is_unseen(newest, seen(service.name, newest)):
        result["x-pilvi-unseen"] = True
    result["responses"] = _responses(service, routes if newest.action else [newest], shapes)
    return result


def _is_unseen(route: Route, known: Seen) -> bool:
    """The handler chooses its answer by itself, and no test has got one yet."""
    return route.view is None and not known.answers and get_type_hints(route.handler).get("return") is Answer


def _id(method: str, path: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_")
    return f"{method.lower()}_{words}".rstrip("_")


def _room(route: Route) -> str:
    parts = route.handler.__module__.split(".")
    return parts[2] if len(parts) > 3 else parts[-1]


def _summary(route: Route) -> str:
    if route.rule is not None and route.rule.description:
        return route.rule.description
    return f"{route.handler.__name__.strip('_').replace('_', ' ').capitalize()}."


def _marks(route: Route, shapes: Shapes) -> Operation:
    found: Operation = {}
    if route.rule is not None:
        found["x-pilvi-rule"] = route.rule.name
    if route.since:
        found["x-pilvi-since"] = shapes.text(route.since)
    if route.until != FOREVER:
        found["x-pilvi-until"] = shapes.text(route.until)
    return found


# ---- parameters --------------------------------------------------------------------------------------------------


def _parameters(service: Service, route: Route) -> list[dict[str, Any]]:
    found = seen(service.name, route)
    names = dict.fromkeys((*route.query_parameters, *found.query))
    if service.field_selection and route.view is not None:
        names["fields"] = None
    parameters = [
        {"name": name, "in": "query", "schema": LISTS.get(name, {"type": "string"})}
        for name in sorted(names, key=lambda n: (n not in LISTS, n))
    ]
    parameters += [
        {"name": name, "in": "header", "schema": {"type": "string"}}
        for name in found.headers
        if name.lower() not in OURS
    ]
    if service.versions is not None:
        parameters.append({"$ref": "#/components/parameters/microversion"})
    return parameters


# ---- bodies ------------------------------------------------------------------------------------------------------


def _body(routes: Sequence[Route], shapes: Shapes) -> dict[str, Any] | None:
    if routes[0].action:
        entries = [_action(route, shapes) for route in routes]
        return {"required": True, "content": {"application/json": {"schema": {"oneOf": entries}}}}
    newest = max(routes, key=lambda r: (r.until, r.since))
    schema = shapes.body(newest)
    if schema is None:
        return None
    content = {media: {"schema": schema} for media in newest.media}
    return {"required": not newest.body_optional, "content": content}


def _action(route: Route, shapes: Shapes) -> dict[str, Any]:
    schema = shapes.body(route) or {}
    marks = _marks(route, shapes)
    if "$ref" in schema:
        schema = {"allOf": [schema]}
    return {"title": route.action, "description": _summary(route), **marks, **schema}


# ---- answers -----------------------------------------------------------------------------------------------------


def _responses(service: Service, routes: Sequence[Route], shapes: Shapes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for route in routes:
        known = seen(service.name, route)
        for status in _statuses(route, known):
            found.setdefault(str(status), _response(route, status, known, shapes))
    if routes[0].auth == "token":
        found["401"] = {"$ref": "#/components/responses/unauthorized"}
    found["default"] = {"$ref": "#/components/responses/fault"}
    return dict(sorted(found.items()))


def _statuses(route: Route, known: Seen) -> list[int]:
    """A handler without a view may choose its own status, so what was seen counts there."""
    if route.view is None and known.answers:
        return sorted(known.answers)
    return [route.status] if isinstance(route.status, int) else sorted(set(route.status.values()))


def _response(route: Route, status: int, known: Seen, shapes: Shapes) -> dict[str, Any]:
    response: dict[str, Any] = {"description": DESCRIBED.get(status, "Done.")}
    if status in (204, 304) or route.method == "HEAD":
        return response
    schema = shapes.answer(route)
    if schema is None:
        schema = known.answers.get(status)
        if schema is not None:
            schema = schema | {"x-pilvi-recorded": True}
    if schema is not None:
        response["content"] = {"application/json": {"schema": schema}}
    return response
