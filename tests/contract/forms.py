"""The form of JSON values that were seen, as JSON Schema: types, members, what keys look like."""

import re
from typing import Any, Final

DEEPEST: Final = 4
MOST_MEMBERS: Final = 80
A_KEY: Final = re.compile(r"^([0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|[A-Z][A-Z0-9_]+|\d+|lo|net.*|.*\s.*)$")
"""A key that is data: an id, a resource class, a number."""
PLAIN: Final = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
Form = dict[str, Any]


def form_of(value: Any, depth: int = DEEPEST) -> Form | None:
    """None where there is no body; bytes are nobody's business here."""
    if value is None and depth == DEEPEST:
        return None
    if isinstance(value, bytes):
        return None
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list | tuple):
        if depth == 0:
            return {"type": "array"}
        items: Form | None = None
        for item in value[:50]:
            items = merged(items, form_of(item, depth - 1) or {"type": "null"})
        return {"type": "array"} | ({"items": items} if items else {})
    return {"type": next(name for kind, name in PLAIN.items() if isinstance(value, kind))}


def _object(value: dict[str, Any], depth: int) -> Form:
    if depth == 0:
        return {"type": "object"}
    members = {str(k): form_of(v, depth - 1) or {"type": "null"} for k, v in value.items()}
    if len(members) > MOST_MEMBERS or any(A_KEY.match(key) for key in members):
        inner: Form | None = None
        for form in members.values():
            inner = merged(inner, form)
        return {"type": "object"} | ({"additionalProperties": inner} if inner else {})
    return {"type": "object"} | ({"properties": dict(sorted(members.items()))} if members else {})


def merged(one: Form | None, other: Form | None) -> Form | None:
    """A form that both values have."""
    if one is None or other is None:
        return one or other
    types = sorted(
        {*_types(one), *_types(other)} - ({"integer"} if "number" in (*_types(one), *_types(other)) else set())
    )
    form: Form = {"type": types[0] if len(types) == 1 else types}
    members = {**one.get("properties", {}), **other.get("properties", {})}
    if members:
        both = {k: merged(one.get("properties", {}).get(k), other.get("properties", {}).get(k)) for k in members}
        form["properties"] = dict(sorted(both.items()))
    for key in ("items", "additionalProperties"):
        inner = merged(one.get(key), other.get(key))
        if inner:
            form[key] = inner
    return form


def _types(form: Form) -> list[str]:
    found = form["type"]
    return list(found) if isinstance(found, list) else [found]
