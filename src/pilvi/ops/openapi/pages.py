"""docs/api: the documents as pages for people. Pure: from documents to text."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

METHODS: Final = ("get", "post", "put", "patch", "delete", "head")
LONGEST_CHOICE: Final = 12
"""Values of an enumeration that a page names; of longer ones it says how many there are."""
LENIENT_TRUE: Final = "true"
Document = Mapping[str, Any]
Schema = Mapping[str, Any]


def index(documents: Mapping[str, Document]) -> str:
    lines = [
        "# The APIs",
        "",
        "Made by `python -m pilvi.ops.openapi` from the route tables; do not edit. A running cloud serves the",
        "documents that these pages were made of at `/openapi/<service>.json`; why so is in",
        "[ADR 40](../decisions/0040-openapi-from-the-route-table.md).",
        "",
        "| service | operations | below | what it is |",
        "|---|---|---|---|",
    ]
    for name, document in documents.items():
        count = sum(1 for _ in operations(document))
        title = document["info"]["title"].partition(": ")[2]
        lines.append(f"| [{name}]({name}.md) | {count} | `{document['servers'][0]['url']}` | {title} |")
    return "\n".join(lines) + "\n"


def operations(document: Document) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and operation. A HEAD that is only a GET without its body is left out."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and not (method == "head" and "get" in item):
                yield method.upper(), path, item[method]


def page(name: str, document: Document) -> str:
    rooms: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for method, path, operation in operations(document):
        rooms.setdefault(operation["tags"][0], []).append((method, path, operation))
    lines = [*_head(name, document), *_contents(rooms)]
    for room, found in sorted(rooms.items()):
        lines += [f"## {room}", ""]
        for method, path, operation in found:
            lines += _operation(method, path, operation)
        lines += _shapes(room, document)
    return "\n".join(lines).rstrip() + "\n"


def _head(name: str, document: Document) -> list[str]:
    lines = [
        f"# {document['info']['title']}",
        "",
        f"Paths are below `{document['servers'][0]['url']}`. The same for machines: `/openapi/{name}.json`.",
        "What can be read with GET can be asked for with HEAD. *Rule* names the policy rule that decides who may;",
        "*since* and *until* are microversions.",
        "",
    ]
    versions = document.get("x-pilvi-microversions")
    if versions:
        first, *_, last = versions
        lines += [f"Microversions {first} to {last}; this page shows {last}.", ""]
    return lines


def _contents(rooms: Mapping[str, Any]) -> list[str]:
    links = [f"[{room}](#{room.lower()})" for room in sorted(rooms)]
    return [", ".join(links) + ".", ""]


# ---- operations --------------------------------------------------------------------------------------------------


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> list[str]:
    facts = [operation["summary"]]
    if operation.get("description"):
        facts.append(operation["description"])
    if operation.get("security") == []:
        facts.append("No token needed.")
    facts += _marks(operation)
    lines = [f"### {method} {path}", "", " ".join(facts), ""]
    for place, title in (("query", "Query"), ("header", "Headers")):
        names = [p["name"] for p in operation.get("parameters", ()) if p.get("in") == place]
        if names:
            lines.append(f"- {title}: {', '.join(f'`{name}`' for name in names)}")
    lines += _body(operation)
    lines += _answers(operation)
    return [*lines, ""]


def _marks(holder: Mapping[str, Any]) -> list[str]:
    words = {"rule": "Rule", "since": "Since", "until": "Until", "process": "Process"}
    return [f"{word} `{holder[f'x-pilvi-{key}']}`." for key, word in words.items() if f"x-pilvi-{key}" in holder]


def _body(operation: Mapping[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return []
    media, holder = next(iter(content.items()))
    schema = holder.get("schema", {})
    if "oneOf" in schema:
        lines = ["- Body, one of:"]
        for action in schema["oneOf"]:
            shape = next((f" {type_of(s)}" for s in action.get("allOf", ())), "")
            said = " ".join([action["description"], *_marks(action)])
            lines.append(f"  - `{action['title']}`{shape}: {said}")
        return lines
    named = "" if media == "application/json" else f" ({', '.join(f'`{m}`' for m in content)})"
    return [f"- Body{named}: {_members(schema) or type_of(schema)}"]


def _answers(operation: Mapping[str, Any]) -> list[str]:
    lines = []
    for status, response in operation["responses"].items():
        if status in ("401", "default"):
            continue
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        shown = f": {_members(schema) or type_of(schema)}" if schema else ""
        lines.append(f"- Answer {status}{shown}")
    return lines


def _members(schema: Schema, depth: int = 2) -> str:
    """`{name, links}`, members of members included as long as it stays readable."""
    if "anyOf" in schema:
        return " or ".join(_members(option, depth) or type_of(option) for option in schema["anyOf"])
    properties = schema.get("properties")
    if not properties:
        return ""
    parts = []
    for name, inner in properties.items():
        shape = inner.get("items", inner) if inner.get("type") == "array" else inner
        many = "[]" if shape is not inner else ""
        link = type_of(shape) if "$ref" in shape else ""
        below = _members(shape, depth - 1) if depth > 1 else ""
        parts.append(f"`{name}{many}`" + (f" {link or below}" if link or below else ""))
    return "{" + ", ".join(parts) + "}"


# ---- shapes ------------------------------------------------------------------------------------------------------


def _shapes(room: str, document: Document) -> list[str]:
    lines: list[str] = []
    for name, schema in document["components"]["schemas"].items():
        if name.startswith(f"{room}."):
            lines += _shape(name, schema)
    return lines


def _shape(name: str, schema: Schema) -> list[str]:
    rows = [*_rows("", schema)]
    said = [schema["description"], ""] if schema.get("description") else []
    gone = schema.get("x-pilvi-gone-after", {})
    if gone:
        said += [f"Gone: {', '.join(f'`{field}` after {until}' for field, until in gone.items())}.", ""]
    if not rows:
        rows = [f"| | {type_of(schema)} | |"]
    return [f"### {name}", "", *said, "| field | type | |", "|---|---|---|", *rows, ""]


def _rows(prefix: str, schema: Schema, depth: int = 3) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for field, inner in schema.get("properties", {}).items():
        if inner.get("properties") and depth > 0:
            yield _row(f"{prefix}{field}", inner, field in required, "object")
            yield from _rows(f"{prefix}{field}.", inner, depth - 1)
        elif inner.get("items", {}).get("properties") and depth > 0:
            yield _row(f"{prefix}{field}[]", inner, field in required, "list")
            yield from _rows(f"{prefix}{field}[].", inner["items"], depth - 1)
        else:
            yield _row(f"{prefix}{field}", inner, field in required, type_of(inner))


def _row(name: str, schema: Schema, required: bool, kind: str) -> str:
    notes = ["required"] if required else []
    notes += [f"{word} {schema[f'x-pilvi-{word}']}" for word in ("since", "until") if f"x-pilvi-{word}" in schema]
    if "x-pilvi-shown-to" in schema:
        notes.append(f"shown to `{schema['x-pilvi-shown-to']}`")
    if schema.get("description"):
        notes.append(schema["description"])
    return f"| `{name}` | {_cell(kind)} | {_cell(', '.join(notes))} |"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def type_of(schema: Schema) -> str:
    """The type in words: `text 1..255`, `one of a, b`, `list of uuid`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if "enum" in schema:
        return _choice(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_of(option) for option in schema[key]))
    kinds = schema.get("type", "anything")
    if isinstance(kinds, list):
        return " or ".join(type_of({**schema, "type": kind}) for kind in kinds)
    return _one_type(kinds, schema)


def _one_type(kind: str, schema: Schema) -> str:
    if kind == "string":
        return schema.get("format") or f"text{_span(schema, 'Length')}"
    if kind in ("integer", "number"):
        bounds = [str(schema.get(name, "")) for name in ("minimum", "maximum")]
        return f"{kind} {'..'.join(bounds)}" if any(bounds) else kind
    if kind == "array":
        inner = type_of(schema["items"]) if schema.get("items") else "anything"
        return f"list{_span(schema, 'Items')} of {inner}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"mapping to {type_of(values)}" if isinstance(values, dict) and values else "object"
    return kind


def _span(schema: Schema, what: str) -> str:
    least, most = schema.get(f"min{what}", 0), schema.get(f"max{what}")
    return f" {least}..{most}" if most is not None else f" {least}.." if least else ""


def _choice(values: list[Any]) -> str:
    if True in values and LENIENT_TRUE in values:
        return "boolean, also as text"
    if len(values) > LONGEST_CHOICE:
        return f"one of {len(values)} values"
    return "one of " + ", ".join(f"`{_plain(value)}`" for value in values)


def _plain(value: Any) -> str:
    """As JSON has it, without quotes."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _anchor(name: str) -> str:
    return name.lower().replace(".", "")
