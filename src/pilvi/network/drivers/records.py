"""Turns frozen dataclasses into JSON values and back, saying exactly what is wrong where.

Unknown fields are skipped, so that an older agent understands a newer control plane.
"""

import types
from collections.abc import Callable, Hashable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

R = TypeVar("R")


class BadRecord(ValueError):
    """A document does not have the shape that was agreed on."""


def to_json(value: object) -> Any:
    """The plain dicts, lists and scalars of a record."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    return value


def from_json(record: type[R], value: object, where: str = "$") -> R:
    """The record that a JSON object describes; BadRecord names the first field that does not fit."""
    if not isinstance(value, dict):
        raise BadRecord(f"{where} must be an object, not {type(value).__name__}.")
    arguments: dict[str, Any] = {}
    for name, convert, is_required in _plan(cast("Hashable", record)):
        if name in value:
            arguments[name] = convert(value[name], f"{where}.{name}")
        elif is_required:
            raise BadRecord(f"{where}.{name} is missing.")
    return record(**arguments)


Converter = Callable[[object, str], Any]


@cache
def _plan(record: Any) -> tuple[tuple[str, Converter, bool], ...]:
    hints = get_type_hints(record)
    return tuple(
        (
            field.name,
            _converter(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(record)
    )


def _converter(hint: Any) -> Converter:
    if get_origin(hint) in {Union, types.UnionType}:
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        return _optional(_converter(inner))
    if get_origin(hint) is tuple:
        return _sequence(_converter(get_args(hint)[0]))
    if is_dataclass(hint):
        return lambda value, where: from_json(cast("type[Any]", hint), value, where)
    return _scalar(hint)


def _optional(inner: Converter) -> Converter:
    return lambda value, where: None if value is None else inner(value, where)


def _sequence(inner: Converter) -> Converter:
    def convert(value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise BadRecord(f"{where} must be a list, not {type(value).__name__}.")
        return tuple(inner(one, f"{where}[{index}]") for index, one in enumerate(value))

    return convert


def _scalar(wanted: type) -> Converter:
    def convert(value: object, where: str) -> object:
        if type(value) is not wanted:
            raise BadRecord(f"{where} must be of type {wanted.__name__}, not {type(value).__name__}.")
        return value

    return convert
