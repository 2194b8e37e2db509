"""nftables rules as values: rendered whole, or as the difference between two of them. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A named set, or a map when `value_type` is given. `elements` holds keys, for a map with what they map to.

    `by_expression` says that the types are given as expressions of the rule language (typeof).
    """

    key_type: str
    value_type: str = ""
    is_interval: bool = False
    by_expression: bool = False
    elements: Mapping[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        return "map" if self.value_type else "set"

    def declaration(self) -> str:
        types = f"{self.key_type} : {self.value_type}" if self.value_type else self.key_type
        kind = f"{'typeof' if self.by_expression else 'type'} {types};"
        return f"{kind} flags interval;" if self.is_interval else kind


@dataclass(frozen=True, slots=True)
class Chain:
    """`hook` is the whole declaration of a base chain; empty for a chain that others jump to."""

    rules: tuple[str, ...] = ()
    hook: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    family: str
    name: str
    sets: Mapping[str, NamedSet] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)


Ruleset = tuple[Table, ...]


def fingerprint(ruleset: Ruleset) -> str:
    """Equal for equal rules, however they came to be."""
    return hashlib.blake2b(replacement(ruleset).encode(), digest_size=16).hexdigest()


def replacement(ruleset: Ruleset) -> str:
    """The script that puts these tables in the place of whatever bore their names, in one transaction."""
    lines: list[str] = []
    for table in ruleset:
        lines += [f"add table {table.family} {table.name}", f"delete table {table.family} {table.name}"]
        lines += [f"table {table.family} {table.name} {{", *_body(table), "}"]
    return "\n".join(lines) + "\n"


def _body(table: Table) -> Iterator[str]:
    for name, one in sorted(table.sets.items()):
        content = f" elements = {{ {', '.join(_elements(one.elements))} }};" if one.elements else ""
        yield f" {one.word} {name} {{ {one.declaration()}{content} }}"
    for name, chain in sorted(table.chains.items()):
        yield f" chain {name} {{"
        if chain.hook:
            yield f"  {chain.hook}"
        yield from (f"  {rule}" for rule in chain.rules)
        yield " }"


def _elements(elements: Mapping[str, str]) -> list[str]:
    return [f"{key} : {value}" if value else key for key, value in sorted(elements.items())]


def difference(old: Ruleset, new: Ruleset) -> str | None:
    """The script that turns `old` into `new`; None when only a replacement can. Empty when they are equal."""
    if [_skeleton(table) for table in old] != [_skeleton(table) for table in new]:
        return None
    return "".join(_table_difference(before, after) for before, after in zip(old, new, strict=True))


def _skeleton(table: Table) -> object:
    return table.family, table.name, {name: chain.hook for name, chain in table.chains.items() if chain.hook}


def _table_difference(old: Table, new: Table) -> str:
    # What is referred to must exist before, and what is removed must not be referred to any more: hence the order.
    where = f"{new.family} {new.name}"
    retyped = {name for name in old.sets.keys() & new.sets.keys() if _type(old.sets[name]) != _type(new.sets[name])}
    if retyped:
        return replacement((new,))
    lines = [f"add {new.sets[name].word} {where} {name} {{ {new.sets[name].declaration()} }}"
             for name in sorted(new.sets.keys() - old.sets.keys())]  # fmt: skip
    lines += [f"add chain {where} {name}" for name in sorted(new.chains.keys() - old.chains.keys())]
    for name, chain in sorted(new.chains.items()):
        before = old.chains.get(name, Chain(hook=chain.hook))
        if before.rules != chain.rules:
            lines += [f"flush chain {where} {name}"] if before.rules else []
            lines += [f"add rule {where} {name} {rule}" for rule in chain.rules]
    for name in sorted(old.sets.keys() | new.sets.keys()):
        if name in new.sets:
            before_elements = old.sets[name].elements if name in old.sets else {}
            lines += _element_lines(where, name, before_elements, new.sets[name].elements)
        elif old.sets[name].value_type == "verdict":
            lines.append(f"flush map {where} {name}")
    gone = sorted(old.chains.keys() - new.chains.keys())
    lines += [f"flush chain {where} {name}" for name in gone]
    lines += [f"delete chain {where} {name}" for name in gone]
    lines += [f"delete {old.sets[name].word} {where} {name}" for name in sorted(old.sets.keys() - new.sets.keys())]
    return "".join(f"{line}\n" for line in lines)


def _type(one: NamedSet) -> object:
    return one.key_type, one.value_type, one.is_interval, one.by_expression


def _element_lines(where: str, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    gone = {key: value for key, value in old.items() if new.get(key) != value}
    come = {key: value for key, value in new.items() if old.get(key) != value}
    if gone:
        yield f"delete element {where} {name} {{ {', '.join(_elements(gone))} }}"
    if come:
        yield f"add element {where} {name} {{ {', '.join(_elements(come))} }}"
