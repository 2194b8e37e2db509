"""A service's whole document."""

import re
from collections.abc import Sequence
from typing import Any, Final

import pilvi
from pilvi.kernel.http import Service
from pilvi.kernel.routing import Route
from pilvi.ops.openapi.faults import FAULTS, UNAUTHORIZED
from pilvi.ops.openapi.operations import operation
from pilvi.ops.openapi.shapes import Shapes
from pilvi.ops.openapi.streams import STREAMS

TITLES: Final = {
    "identity": "Identity: who somebody is and what they may do",
    "image": "Image: disks to start from",
    "placement": "Placement: what there is and who holds it",
    "network": "Network: networks, addresses, routers and rules",
    "compute": "Compute: servers and what they run on",
}
"""The services with a document, by name."""
LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}


def document(services: Sequence[Service], name: str) -> dict[str, Any]:
    """OpenAPI 3.1 of one of TITLES. Version documents above the API itself belong to it."""
    parts = [s for s in services if s.name in (name, f"{name}_root")]
    main = next(s for s in parts if s.name == name)
    root = main.root or main.prefix
    shapes = Shapes(main.versions, selects=main.field_selection)
    paths = _paths(parts, root, shapes)
    if name == "image":
        _add_streams(paths)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLES[name], "version": pilvi.__version__, "license": LICENSE},
        "servers": [{"url": root}],
        "security": [{"token": []}],
        "paths": paths,
        "components": _components(name, main, shapes),
        **_history(main),
    }  # fmt: skip


def _paths(parts: Sequence[Service], root: str, shapes: Shapes) -> dict[str, Any]:
    found: dict[str, tuple[str, Service, dict[str, list[Route]]]] = {}
    for service in parts:
        for route in service.routes:
            path = (service.prefix + route.path).removeprefix(root) or "/"
            _, _, methods = found.setdefault(re.sub(r"\{[^}]*\}", "{}", path), (path, service, {}))
            methods.setdefault(route.method, []).append(route)
    paths: dict[str, Any] = {}
    for path, service, methods in sorted(found.values(), key=lambda entry: entry[0]):
        item: dict[str, Any] = {m.lower(): operation(service, path, methods[m], shapes) for m in methods}
        names = re.findall(r"\{([^}]*)\}", path)
        if names:
            item["parameters"] = [_in_path(name) for name in names]
        paths[path] = item
    return paths


def _in_path(name: str) -> dict[str, Any]:
    form = {"format": "uuid"} if name.endswith("uuid") else {"minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", **form}}


def _add_streams(paths: dict[str, Any]) -> None:
    for path, methods in STREAMS.items():
        item = paths.setdefault(path, {"parameters": [_in_path(n) for n in re.findall(r"\{([^}]*)\}", path)]})
        for method, found in methods.items():
            responses = found["responses"] | {
                "401": {"$ref": "#/components/responses/unauthorized"},
                "default": {"$ref": "#/components/responses/fault"},
            }
            item[method] = found | {"responses": responses}


def _components(name: str, service: Service, shapes: Shapes) -> dict[str, Any]:
    components: dict[str, Any] = {
        "schemas": {"fault": FAULTS[name], "unauthorized": UNAUTHORIZED, **dict(sorted(shapes.schemas.items()))},
        "responses": {
            "fault": _fault("What was wrong, and what to do about it.", "fault"),
            "unauthorized": _fault("The token is missing, has ended or does not allow this at all.", "unauthorized"),
        },
        "securitySchemes": {
            "token": {
                "type": "apiKey", "in": "header", "name": "X-Auth-Token",
                "description": "A token of POST /v3/auth/tokens of identity.",
            }
        },
    }  # fmt: skip
    if service.versions is not None:
        components["parameters"] = {"microversion": _microversion(service)}
    return components


def _fault(description: str, name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _microversion(service: Service) -> dict[str, Any]:
    versions = service.versions
    assert versions is not None
    word, major = versions.word, versions.major
    return {
        "name": "OpenStack-API-Version",
        "in": "header",
        "description": f"Without it {versions.text(versions.minimum)} is in force. This document shows the newest, "
                       f"{versions.text(versions.maximum)}.",
        "schema": {"type": "string", "pattern": rf"^{word} ({major}\.[0-9]{{1,2}}|latest)$"},
        "example": f"{word} {versions.text(versions.maximum)}",
    }  # fmt: skip


def _history(service: Service) -> dict[str, Any]:
    return {"x-pilvi-microversions": dict(service.versions.history)} if service.versions is not None else {}
