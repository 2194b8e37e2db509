"""Wire shapes as data: one declaration gives validation, rendering and docs, per microversion.

    class KeypairCreate(Body, root="keypair"):
        name: Annotated[str, Length(1, 255)]
        type: Annotated[Literal["ssh", "x509"], Since("2.2")] = "ssh"

    class KeypairView(View, root="keypair"):
        name: str
        type: Annotated[str, Since("2.2")]

A body field without a default is required. Unknown fields are refused unless the class says `extra=True`.
"""

import types
import typing
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from inspect import signature
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union

import jsonschema_rs

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.microversion import minor
from pilvi.kernel.policy import Rule

B = TypeVar("B", bound="Body")
M = TypeVar("M")
FOREVER = 10_000


# ---- marks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Since:
    """The field arrived in this microversion."""

    version: str


@dataclass(frozen=True, slots=True)
class Until:
    """This microversion is the last one that has the field."""

    version: str


@dataclass(frozen=True, slots=True)
class RequiredSince:
    """From this microversion on the field must be given, although it has a default before."""

    version: str


@dataclass(frozen=True, slots=True)
class Name:
    """The name on the wire, where it is no Python name."""

    text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """The field stands beside the root key instead of inside it (`os:scheduler_hints`)."""


@dataclass(frozen=True, slots=True)
class Length:
    least: int = 0
    most: int = 255


@dataclass(frozen=True, slots=True)
class Range:
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    regex: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """`uuid`, `ipv4`, `ipv6`, `ip`, `cidr`, `mac`, `date-time`: checked by the schema's format checkers."""

    name: str


@dataclass(frozen=True, slots=True)
class Items:
    """Bounds of a list or mapping."""

    most: int
    least: int = 0
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Lenient:
    """Numbers may come as digits in a string, booleans as `"true"`, `1` …, as this API has always allowed."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A ready JSON Schema where the marks do not reach."""

    schema: Mapping[str, Any]

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True)
class From:
    """A view field computed by a function of the object, or of the object and the context."""

    get: Callable[..., Any]


OMIT: Any = object()
"""What a `Sometimes` field gives when it has nothing to show: the key is left out."""


@dataclass(frozen=True, slots=True)
class Sometimes:
    """A view field that may be absent; its `From` function returns OMIT then."""


@dataclass(frozen=True, slots=True)
class ShownTo:
    """A view field shown only to callers whom the rule allows."""

    rule: Rule


# ---- formats -----------------------------------------------------------------------------------------------------


def _checked(parse: Callable[[str], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _formats() -> dict[str, Callable[[Any], bool]]:
    import ipaddress
    import re

    from pilvi.kernel.clock import parse
    from pilvi.kernel.ids import is_uuid

    mac = re.compile(r"^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$")
    return {
        "uuid": is_uuid,
        "ip": _checked(ipaddress.ip_address),
        "cidr": _checked(lambda v: ipaddress.ip_network(v, strict=False)),
        "ipv4": _checked(ipaddress.IPv4Address),
        "ipv6": _checked(ipaddress.IPv6Address),
        "mac": lambda v: mac.match(v) is not None,
        "date-time": _checked(parse),
    }


FORMATS = _formats()
TRUE = (True, "true", "True", "TRUE", "on", "On", "ON", "yes", "Yes", "YES", "1", 1, "t", "y")
FALSE = (False, "false", "False", "FALSE", "off", "Off", "OFF", "no", "No", "NO", "0", 0, "f", "n")


def boolean(value: Any) -> bool:
    """A lenient boolean; raises BadRequest for what is none."""
    if isinstance(value, str):
        value = value.strip()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise BadRequest(f"{value!r} is not a boolean: use true or false.")


# ---- fields ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    attribute: str
    name: str
    hint: Any
    marks: tuple[Any, ...]
    required: bool
    default: Any
    since: int
    until: int

    def mark(self, kind: type[M]) -> M | None:
        return next((m for m in self.marks if isinstance(m, kind)), None)

    def present(self, version: int) -> bool:
        return self.since <= version <= self.until


def _fields(owner: type) -> tuple[Field, ...]:
    found = []
    for attribute, hint in typing.get_type_hints(owner, include_extras=True).items():
        if typing.get_origin(hint) is ClassVar or attribute.startswith("_"):
            continue
        marks: tuple[Any, ...] = ()
        if typing.get_origin(hint) is Annotated:
            hint, *rest = typing.get_args(hint)
            marks = tuple(rest)
        name = next((m.text for m in marks if isinstance(m, Name)), attribute)
        since = next((minor(m.version) for m in marks if isinstance(m, Since)), 0)
        until = next((minor(m.version) for m in marks if isinstance(m, Until)), FOREVER)
        default = getattr(owner, attribute, ...)
        found.append(Field(attribute, name, hint, marks, default is ..., default, since, until))
    return tuple(found)


def _schema(type_: Any, marks: tuple[Any, ...], version: int) -> dict[str, Any]:  # noqa: C901 a table of cases
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    lenient = any(isinstance(m, Lenient) for m in marks)
    for mark in marks:
        if isinstance(mark, Schema):
            return dict(mark.schema)
    if origin in (Union, types.UnionType):
        options = [a for a in args if a is not type(None)]
        inner = [_schema(a, marks, version) for a in options]
        if type(None) in args:
            inner.append({"type": "null"})
        return inner[0] if len(inner) == 1 else {"anyOf": inner}
    if type_ is Any or type_ is object:
        return {}
    if type_ is type(None):
        return {"type": "null"}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is list:
        result: dict[str, Any] = {"type": "array", "items": _schema(*_unwrap(args[0]), version)}
        return _bounded(result, marks, "Items")
    if origin is dict:
        result = {"type": "object", "additionalProperties": _schema(*_unwrap(args[1]), version)}
        key_type, key_marks = _unwrap(args[0])
        names = _schema(key_type, key_marks, version)
        if len(names) > 1:
            result["propertyNames"] = names
        return _bounded(result, marks, "Properties")
    if isinstance(type_, type) and issubclass(type_, Body):
        return type_.schema(version)
    if type_ is bool:
        return {"enum": [*TRUE, *FALSE]} if lenient else {"type": "boolean"}
    if type_ is int:
        return _number(marks, lenient)
    if type_ is float:
        return {"type": ["number", "string"], "pattern": r"^[0-9]*\.?[0-9]+$"} if lenient else {"type": "number"}
    return _text(marks)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if typing.get_origin(hint) is Annotated:
        inner, *marks = typing.get_args(hint)
        return inner, tuple(marks)
    return hint, ()


def _bounded(schema: dict[str, Any], marks: tuple[Any, ...], what: str) -> dict[str, Any]:
    for mark in marks:
        if isinstance(mark, Items):
            schema[f"max{what}"], schema[f"min{what}"] = mark.most, mark.least
            if mark.unique:
                schema["uniqueItems"] = True
    return schema


def _number(marks: tuple[Any, ...], lenient: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    if lenient:
        schema = {"type": ["integer", "string"], "pattern": r"^-?[0-9]+$"}
    for mark in marks:
        if isinstance(mark, Range):
            if mark.least is not None:
                schema["minimum"] = mark.least
            if mark.most is not None:
                schema["maximum"] = mark.most
    return schema


def _text(marks: tuple[Any, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for mark in marks:
        match mark:
            case Length(least, most):
                schema["minLength"], schema["maxLength"] = least, most
            case Pattern(regex, _):
                schema["pattern"] = regex
            case Format(name):
                schema["format"] = name
    return schema


def _convert(value: Any, type_: Any, marks: tuple[Any, ...], version: int) -> Any:
    """A validated JSON value as the declared type: nested bodies become instances, lenient numbers numbers."""
    if value is None:
        return None
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin in (Union, types.UnionType):
        options = [a for a in args if a is not type(None)]
        if len(options) == 1:
            return _convert(value, options[0], marks, version)
        for option in options:
            if isinstance(option, type) and issubclass(option, Body) and isinstance(value, dict):
                return option._build(value, version)
        return value
    if origin is list:
        item, item_marks = _unwrap(args[0])
        return [_convert(v, item, item_marks, version) for v in value] if isinstance(value, list) else value
    if isinstance(type_, type) and issubclass(type_, Body):
        return type_._build(value, version)
    if any(isinstance(m, Lenient) for m in marks):
        return _lenient(value, type_, marks)
    return value


def _lenient(value: Any, type_: Any, marks: tuple[Any, ...]) -> Any:
    if type_ is bool:
        return boolean(value)
    if type_ not in (int, float):
        return value
    number = type_(value)
    for mark in marks:
        if isinstance(mark, Range) and isinstance(value, str):
            below = mark.least is not None and number < mark.least
            if below or (mark.most is not None and number > mark.most):
                raise BadRequest(f"{value} is not between {mark.least} and {mark.most}.")
    return number


# ---- bodies ------------------------------------------------------------------------------------------------------


class Body:
    """What a client sends. Subclasses declare fields; instances have them as attributes."""

    root: ClassVar[str | None] = None
    plural: ClassVar[str | None] = None
    """Where the API takes several at once: the key of the list."""
    extra: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = ()
    _validators: ClassVar[dict[int, Any]]

    given: frozenset[str]
    """Attributes that the client really sent."""
    more: dict[str, Any]
    """Undeclared fields, where `extra=True`."""

    def __init_subclass__(cls, root: str | None = None, plural: str | None = None, extra: bool = False) -> None:
        cls.root, cls.plural, cls.extra = root, plural, extra
        cls._validators = {}

    def __getattr__(self, name: str) -> Any:  # only for the type checker: `_build` sets every declared field
        raise AttributeError(name)

    @classmethod
    def own_fields(cls) -> tuple[Field, ...]:
        if "fields" not in cls.__dict__:
            cls.fields = tuple(f for f in _fields(cls) if f.attribute not in ("given", "more", "root", "plural"))
        return cls.fields

    @classmethod
    def schema(cls, version: int) -> dict[str, Any]:
        """The JSON Schema of the inner object at this microversion."""
        return cls._object([f for f in cls.own_fields() if not f.mark(Beside)], version, cls.extra)

    @classmethod
    def _object(cls, fields: list[Field], version: int, extra: bool) -> dict[str, Any]:
        present = [f for f in fields if f.present(version)]
        required = [f.name for f in present if f.required or cls._now_required(f, version)]
        return {
            "type": "object",
            "properties": {f.name: _schema(f.hint, f.marks, version) for f in present},
            "required": required,
            "additionalProperties": extra,
        }

    @staticmethod
    def _now_required(field: Field, version: int) -> bool:
        mark = field.mark(RequiredSince)
        return mark is not None and version >= minor(mark.version)

    @classmethod
    def document(cls, version: int) -> dict[str, Any]:
        """The JSON Schema of the whole body, root key included."""
        if cls.root is None:
            return cls.schema(version)
        outer = cls._object([f for f in cls.own_fields() if f.mark(Beside)], version, cls.extra)
        outer["properties"][cls.root] = cls.schema(version)
        outer["required"].append(cls.root)
        return outer

    @classmethod
    def parse(cls: type[B], raw: Any, version: int) -> B:
        """Validate at this microversion. Raises BadRequest with the place and the reason."""
        validator = cls._validators.get(version)
        if validator is None:
            validator = cls._validators[version] = jsonschema_rs.Draft202012Validator(
                cls.document(version), formats=FORMATS, validate_formats=True
            )
        if not validator.is_valid(raw):
            raise BadRequest(explain(validator, raw), type="InvalidInput")
        return cls._build_document(raw, version)

    @classmethod
    def parse_many(cls: type[B], raw: Any, version: int) -> list[B]:
        assert cls.root is not None
        assert cls.plural is not None
        items = raw.get(cls.plural)
        if not isinstance(items, list) or not items:
            raise BadRequest(f"{cls.plural} must be a list with at least one entry.", type="InvalidInput")
        if len(items) > 1000:
            raise BadRequest(f"{cls.plural} may hold 1000 entries in one request.", type="InvalidInput")
        return [cls.parse({cls.root: item}, version) for item in items]

    @classmethod
    def _build_document(cls: type[B], raw: dict[str, Any], version: int) -> B:
        if cls.root is None:
            return cls._build(raw, version)
        inner = cls._build(raw[cls.root], version)
        beside = [f for f in cls.own_fields() if f.mark(Beside)]
        inner._take(raw, beside, version)
        if cls.extra:
            inner.more.update({k: v for k, v in raw.items() if k != cls.root and k not in {f.name for f in beside}})
        return inner

    @classmethod
    def _build(cls: type[B], raw: dict[str, Any], version: int) -> B:
        body = cls.__new__(cls)
        body.given = frozenset()
        fields = [f for f in cls.own_fields() if not f.mark(Beside)]
        body._take(raw, fields, version)
        if cls.extra:
            known = {f.name for f in fields}
            body.more = {k: v for k, v in raw.items() if k not in known}
        return body

    def _take(self, raw: dict[str, Any], fields: list[Field], version: int) -> None:
        given = set(self.given)
        for field in fields:
            if field.name in raw and field.present(version):
                value = _convert(raw[field.name], field.hint, field.marks, version)
                given.add(field.attribute)
            else:
                value = None if field.required else copy(field.default)
            object.__setattr__(self, field.attribute, value)
        self.given = frozenset(given)

    def sent(self) -> dict[str, Any]:
        """Attribute → value of exactly the fields that the client sent."""
        return {name: getattr(self, name) for name in self.given}


def explain(validator: Any, raw: Any) -> str:
    """The first violation, with its place and a hint, for a person."""
    error = next(iter(validator.iter_errors(raw)))
    place = "/".join(str(part) for part in error.instance_path) or "body"
    message = str(error.message)
    if len(message) > 400:
        message = message[:400] + "…"
    return f"Invalid input for field/attribute {place}. {message}"


# ---- views -------------------------------------------------------------------------------------------------------

Render = Callable[[Any, Context], dict[str, Any]]


class View:
    """What a client sees. Rendering is generated code: one dict display per object, no look-ups of marks."""

    root: ClassVar[str] = ""
    plural: ClassVar[str] = ""
    links: ClassVar[str] = ""
    """Key of the next-page links of a list, where the API has them."""
    fields: ClassVar[tuple[Field, ...]] = ()
    _compiled: ClassVar[dict[Any, Render]]
    _gates: ClassVar[tuple[Rule, ...]]

    def __init_subclass__(cls, root: str = "", plural: str = "", links: str = "") -> None:
        cls.root = root or cls.root
        cls.plural = plural or cls.plural
        cls.links = links or cls.links
        cls._compiled = {}

    @classmethod
    def own_fields(cls) -> tuple[Field, ...]:
        if "fields" not in cls.__dict__:
            cls.fields = tuple(f for f in _fields(cls) if f.attribute not in ("root", "plural", "links"))
            gates = {m.rule.name: m.rule for f in cls.fields for m in f.marks if isinstance(m, ShownTo)}
            cls._gates = tuple(gates.values())
        return cls.fields

    @classmethod
    def schema(cls, version: int) -> dict[str, Any]:
        """The JSON Schema of one object as documents show it at this microversion."""
        present = [f for f in cls.own_fields() if f.present(version)]
        return {
            "type": "object",
            "properties": {f.name: _schema(f.hint, f.marks, version) for f in present},
            "required": [f.name for f in present if not (f.mark(Sometimes) or f.mark(ShownTo))],
        }

    @classmethod
    def renderer(cls, ctx: Context, only: frozenset[str] = frozenset()) -> Render:
        """The rendering function for this caller and microversion; `only` keeps just these wire names."""
        fields = cls.own_fields()
        shown = frozenset(r.name for r in cls._gates if r.allows(ctx, project_id=ctx.project_id))
        key = (ctx.version, shown, only)
        render = cls._compiled.get(key)
        if render is None:
            chosen = [f for f in fields if f.present(ctx.version) and (not only or f.name in only)]
            chosen = [f for f in chosen if (m := f.mark(ShownTo)) is None or m.rule.name in shown]
            render = _generate(chosen)
            if not only or len(cls._compiled) < 500:
                cls._compiled[key] = render
        return render


def _generate(fields: list[Field]) -> Render:
    space: dict[str, Any] = {"OMIT": OMIT}
    parts, later = [], []
    for i, field in enumerate(fields):
        source = field.mark(From)
        if source is None:
            parts.append(f"{field.name!r}: o.{field.attribute}")
            continue
        space[f"g{i}"] = source.get
        arguments = "o, c" if len(signature(source.get).parameters) > 1 else "o"
        if field.mark(Sometimes):
            later.append(f" v = g{i}({arguments})\n if v is not OMIT: d[{field.name!r}] = v\n")
        else:
            parts.append(f"{field.name!r}: g{i}({arguments})")
    # Wire names are our own literals: nothing of a client gets into this text.
    exec("def render(o, c):\n d = {" + ", ".join(parts) + "}\n" + "".join(later) + " return d", space)  # noqa: S102
    return space["render"]  # type: ignore[no-any-return]
