"""Which free properties of images whom to let read and change, as an operator's file says. Pure.

The file is upstream's: a section for each pattern, with `create`, `read`, `update` and `delete`:

    [^hw_.*]
    create = admin,image_admin
    read = @
    update = admin
    delete = !

The first section whose pattern is found in the property's name decides; a property that no section names is nobody's.
The values are roles; or, where the format is `policies`, one rule of `policy/image.yaml` each. `@` is everybody, `!` is
nobody, and so is nothing.
"""

import configparser
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pilvi.image.images.model import RESERVED_PREFIX, Image
from pilvi.kernel.config import ConfigError
from pilvi.kernel.context import Context
from pilvi.kernel.errors import Forbidden
from pilvi.kernel.policy_language import Node, PolicyError

Operation = Literal["create", "read", "update", "delete"]
OPERATIONS: Final[tuple[Operation, ...]] = ("create", "read", "update", "delete")
LARGEST_BYTES: Final = 256 * 1024
May = Callable[[Context], bool]


@dataclass(frozen=True, slots=True)
class Section:
    pattern: re.Pattern[str]
    may: Mapping[str, May]


@dataclass(frozen=True, slots=True)
class Protections:
    """All sections, in the order of the file; None where nothing is protected."""

    sections: tuple[Section, ...] | None = None

    def allows(self, ctx: Context, name: str, operation: Operation) -> bool:
        if self.sections is None or name.startswith(RESERVED_PREFIX):
            return True
        section = next((s for s in self.sections if s.pattern.search(name)), None)
        return section is not None and section.may[operation](ctx)

    def reader(self, ctx: Context) -> Callable[[Image], Image]:
        """Gives an image without what this caller may not read. A name is judged once, however many images bear it."""
        if self.sections is None:
            return lambda image: image
        may_read = cache(lambda name: self.allows(ctx, name, "read"))
        return lambda image: replace(image, properties={k: v for k, v in image.properties.items() if may_read(k)})

    def check(self, ctx: Context, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Raises Forbidden at the first property that the caller may not change so."""
        if self.sections is None:
            return
        for name in [*after, *(name for name in before if name not in after)]:
            if before.get(name) == after.get(name):
                continue
            operation: Operation = "delete" if name not in after else "update" if name in before else "create"
            if not self.allows(ctx, name, operation):
                raise Forbidden(f"Property '{name}' is protected: you may not {operation} it.")


OPEN: Final = Protections()


def load(path: Path | None, format: str, rule_named: Callable[[str], Node]) -> Protections:
    """Reads the file. Raises ConfigError with what is wrong where."""
    if path is None:
        return OPEN
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ConfigError(f"{path} is larger than {LARGEST_BYTES} bytes.")
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"[image] property_protections: {path} cannot be read: {error}.") from None
    try:
        return parse(text, format, rule_named)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse(text: str, format: str, rule_named: Callable[[str], Node]) -> Protections:
    reader = configparser.RawConfigParser(delimiters=("=",), strict=True, empty_lines_in_values=False)
    try:
        reader.read_string(text)
    except configparser.Error as error:
        raise ConfigError(str(error).replace("\n", " ")) from None
    return Protections(tuple(_section(reader, name, format, rule_named) for name in reader.sections()))


def _section(
    reader: configparser.RawConfigParser, name: str, format: str, rule_named: Callable[[str], Node]
) -> Section:  # fmt: skip
    try:
        pattern = re.compile(name)
    except re.error as error:
        raise ConfigError(f"[{name}] is not a regular expression: {error}.") from None
    may: dict[str, May] = {}
    for operation in OPERATIONS:
        if not reader.has_option(name, operation):
            raise ConfigError(f"[{name}] does not say who may {operation}; `{operation} = !` means nobody.")
        words = [word.strip() for word in reader.get(name, operation).split(",") if word.strip()]
        where = f"[{name}] {operation}"
        may[operation] = _by_roles(words, where) if format == "roles" else _by_rule(words, where, rule_named)
    unknown = sorted(set(reader.options(name)) - set(OPERATIONS) - set(reader.defaults()))
    if unknown:
        raise ConfigError(f"[{name}] has {', '.join(unknown)}; it may have {', '.join(OPERATIONS)}.")
    return Section(pattern, may)


def _by_roles(words: list[str], where: str) -> May:
    if "@" in words and "!" in words:
        raise ConfigError(f"{where} says both @ (everybody) and ! (nobody).")
    roles = {word.lower() for word in words}
    if "!" in roles or not roles:
        return lambda ctx: False
    if "@" in roles:
        return lambda ctx: True
    return lambda ctx: any(role.lower() in roles for role in ctx.roles | ctx.service_roles)


def _by_rule(words: list[str], where: str, rule_named: Callable[[str], Node]) -> May:
    if len(words) > 1:
        raise ConfigError(f"{where} names several rules; combine them in policy/image.yaml and name that one.")
    if not words or words == ["!"]:
        return lambda ctx: False
    if words == ["@"]:
        return lambda ctx: True
    try:
        rule = rule_named(words[0])
    except PolicyError as error:
        raise ConfigError(f"{where}: {error}.") from None
    return lambda ctx: rule(ctx, {"project_id": ctx.project_id, "user_id": ctx.user_id})
