"""Reads the query parameters that lists and candidates share: resources, required, member_of, in_tree."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pilvi.kernel import ids
from pilvi.kernel.errors import BadRequest

INVALID = "Invalid query string parameters: "
BAD_VALUE = "placement.query.bad_value"
MULTIPLE_MEMBER_OF_SINCE, FORBIDDEN_TRAITS_SINCE, FORBIDDEN_MEMBER_OF_SINCE, ANY_TRAITS_SINCE = 24, 22, 32, 39


@dataclass(slots=True)
class Criteria:
    """What one request group, or a list of providers, asks for."""

    resources: dict[str, int] = field(default_factory=dict)
    required: list[frozenset[str]] = field(default_factory=list)
    """Of each set, one trait at least."""
    forbidden: frozenset[str] = frozenset()
    member_of: list[frozenset[str]] = field(default_factory=list)
    """Of each set, one aggregate at least."""
    not_member_of: frozenset[str] = frozenset()
    in_tree: str | None = None

    def traits(self) -> set[str]:
        return set().union(*self.required, self.forbidden)


def resources(text: str) -> dict[str, int]:
    """`VCPU:2,MEMORY_MB:1024`."""
    form = (
        "Badly formed resources parameter. Expected resources query string parameter in form: "
        "?resources=VCPU:2,MEMORY_MB:1024. "
    )
    if not text.strip():
        raise BadRequest(f"{form}Got: empty string.")
    found: dict[str, int] = {}
    for part in text.split(","):
        name, colon, amount_text = part.partition(":")
        if not colon or not name:
            raise BadRequest(f"{form}Got: {part}.")
        try:
            amount = int(amount_text)
        except ValueError:
            raise BadRequest(
                f"Requested resource {name} expected positive integer amount. Got: {amount_text}."
            ) from None
        if amount < 1:
            raise BadRequest(f"Requested resource {name} requires amount >= 1. Got: {amount}.")
        found[name] = min(amount, 2**31 - 1)
    return found


def traits(values: Iterable[str], version: int, key: str = "required") -> tuple[list[frozenset[str]], frozenset[str]]:
    """Required sets and forbidden traits of all values of a parameter."""
    given = list(values)
    if version < ANY_TRAITS_SINCE:
        given = given[-1:]  # Before several could be given, the last one counted.
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    for value in given:
        if value.startswith("in:"):
            required.append(_any_of(value, version))
            continue
        for part in value.split(","):
            name, is_forbidden = part.strip().removeprefix("!"), part.strip().startswith("!")
            if not name or (is_forbidden and version < FORBIDDEN_TRAITS_SINCE):
                raise _bad_traits(value, version)
            if is_forbidden:
                forbidden.add(name)
            else:
                required.append(frozenset({name}))
    conflicting = sorted(forbidden & {name for one in required if len(one) == 1 for name in one})
    if conflicting:
        raise BadRequest(
            f"Conflicting required and forbidden traits found in the following traits keys: "
            f"{key}: ({', '.join(conflicting)})"
        )
    return required, frozenset(forbidden)


def _bad_traits(value: str, version: int) -> BadRequest:
    second = "!CUSTOM_MAGIC" if version >= FORBIDDEN_TRAITS_SINCE else "CUSTOM_MAGIC"
    return BadRequest(
        f"{INVALID}Expected 'required' parameter value of the form: HW_CPU_X86_VMX,{second}. Got: {value}"
    )


def _any_of(value: str, version: int) -> frozenset[str]:
    if version < ANY_TRAITS_SINCE:
        raise BadRequest("The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39.")
    names = [part.strip() for part in value.removeprefix("in:").split(",")]
    if not all(names) or any(name.startswith("!") for name in names):
        raise BadRequest(
            f"{INVALID}Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: {value}"
        )
    return frozenset(names)


def member_of(values: list[str], version: int) -> tuple[list[frozenset[str]], frozenset[str]]:
    """Sets of which one must be, and aggregates that must not be."""
    if len(values) > 1 and version < MULTIPLE_MEMBER_OF_SINCE:
        raise BadRequest("Multiple member_of parameters are not supported", type=BAD_VALUE)
    wanted: list[frozenset[str]] = []
    unwanted: set[str] = set()
    for value in values:
        is_forbidden = value.startswith("!")
        if is_forbidden and version < FORBIDDEN_MEMBER_OF_SINCE:
            raise BadRequest(
                "Forbidden member_of parameters are not supported in the specified microversion", type=BAD_VALUE
            )
        rest = value.removeprefix("!")
        uuids = [part.strip() for part in rest.removeprefix("in:").split(",")]
        if len(uuids) > 1 and not rest.startswith("in:"):
            raise BadRequest(
                "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid "
                "microversion.",
                type=BAD_VALUE,
            )
        if not all(ids.is_uuid(uuid) for uuid in uuids):
            raise BadRequest(
                f"{INVALID}Expected 'member_of' parameter to contain valid UUID(s). Got: {value}", type=BAD_VALUE
            )
        if is_forbidden:
            unwanted.update(u.lower() for u in uuids)
        else:
            wanted.append(frozenset(u.lower() for u in uuids))
    return wanted, frozenset(unwanted)


def tree(value: str) -> str:
    if not ids.is_uuid(value):
        raise BadRequest(f"Expected 'in_tree' parameter to be a format of uuid. Got: {value}", type=BAD_VALUE)
    return value.lower()


def check_names(names: Iterable[str], known: Iterable[str], patterns: Iterable[str] = ()) -> None:
    """Parameters that this microversion does not know are refused by name."""
    forms = list(patterns)
    compiled = [re.compile(form) for form in forms]
    plain = set(known)
    for name in names:
        if name in plain or any(form.match(name) for form in compiled):
            continue
        if forms:
            listed = ", ".join(repr(form) for form in sorted(forms))
            raise BadRequest(f"{INVALID}{name!r} does not match any of the regexes: {listed}")
        raise BadRequest(f"{INVALID}Additional properties are not allowed ({name!r} was unexpected)")
