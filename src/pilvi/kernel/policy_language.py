"""Upstream's language of rules: `role:admin or (role:reader and project_id:%(project_id)s)`.

Grammar, as oslo.policy publishes it:

    rule  = ""  |  check  |  "not" rule  |  rule "and" rule  |  rule "or" rule  |  "(" rule ")"
    check = "@"  |  "!"  |  kind ":" match

`not` binds closest, then `and`, then `or`. `@` and the empty rule hold always, `!` never. The older form, lists in a
list, is an "or" of "and"s. A kind is `role`, `rule`, `field`, a quoted literal, or what the caller has (`project_id`,
`user_id`, `domain_id`, `system_scope`, …); the match is text, with `%(name)s` for what the target has. What caller or
target does not have matches nothing but `None`.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilvi.kernel.context import Context

Target = Mapping[str, Any]

LONGEST = 10_000
"""Characters of one rule."""
DEEPEST = 50
"""Parentheses, negations and references inside each other."""

_WORD = re.compile(r"""\s*(?:([()])|((?:"[^"]*"|'[^']*'|%\([^)]*\)s|[^\s()"'])+))""")
_PLACE = re.compile(r"%\(([^)]+)\)s")


class PolicyError(Exception):
    """A rule that cannot be read; the message says where."""


class Node:
    """One part of a rule. Calling it says whether it holds."""

    text: str

    def __call__(self, ctx: Context, target: Target) -> bool:
        raise NotImplementedError

    def parts(self) -> "Sequence[Node]":
        """What this is made of, for explanations."""
        return ()


@dataclass(frozen=True, slots=True)
class Constant(Node):
    value: bool
    text: str

    def __call__(self, ctx: Context, target: Target) -> bool:
        return self.value


@dataclass(frozen=True, slots=True)
class Every(Node):
    nodes: tuple[Node, ...]

    @property
    def text(self) -> str:  # type: ignore[override]
        return " and ".join(f"({n.text})" if isinstance(n, Some) else n.text for n in self.nodes)

    def __call__(self, ctx: Context, target: Target) -> bool:
        for node in self.nodes:  # noqa: SIM110 a generator costs more than the checks
            if not node(ctx, target):
                return False
        return True

    def parts(self) -> Sequence[Node]:
        return self.nodes


@dataclass(frozen=True, slots=True)
class Some(Node):
    nodes: tuple[Node, ...]

    @property
    def text(self) -> str:  # type: ignore[override]
        return " or ".join(f"({n.text})" if isinstance(n, Every) else n.text for n in self.nodes)

    def __call__(self, ctx: Context, target: Target) -> bool:
        for node in self.nodes:  # noqa: SIM110
            if node(ctx, target):
                return True
        return False

    def parts(self) -> Sequence[Node]:
        return self.nodes


@dataclass(frozen=True, slots=True)
class Not(Node):
    node: Node

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"not ({self.node.text})" if isinstance(self.node, Every | Some) else f"not {self.node.text}"

    def __call__(self, ctx: Context, target: Target) -> bool:
        return not self.node(ctx, target)

    def parts(self) -> Sequence[Node]:
        return (self.node,)


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """Another rule by name."""

    name: str
    node: Node

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"rule:{self.name}"

    def __call__(self, ctx: Context, target: Target) -> bool:
        return self.node(ctx, target)

    def parts(self) -> Sequence[Node]:
        return (self.node,)


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """One comparison, as a function made once."""

    text: str
    holds: Callable[[Context, Target], bool]

    def __call__(self, ctx: Context, target: Target) -> bool:
        return self.holds(ctx, target)


Lookup = Callable[[str, int], Node]
"""The rule of a name, at a depth; raises PolicyError."""


def _no_rules(name: str, depth: int) -> Node:
    raise PolicyError(f"there is no rule {name!r} to refer to")


def parse(rule: object, lookup: Lookup = _no_rules, depth: int = 0) -> Node:
    """Read a rule: text, or lists in a list. Raises PolicyError."""
    if depth > DEEPEST:
        raise PolicyError(f"rules refer to each other more than {DEEPEST} deep")
    if isinstance(rule, list):
        return _old_form(rule, lookup, depth)
    if not isinstance(rule, str):
        raise PolicyError(f"a rule is text, not {type(rule).__name__}")
    if len(rule) > LONGEST:
        raise PolicyError(f"a rule has at most {LONGEST} characters")
    if not rule.strip():
        return Constant(True, "@")
    return _Parser(_words(rule), lookup, depth).whole()


def said(text: str) -> Node:
    """A rule of our own, known to be right."""
    return parse(text)


def _old_form(rule: list[Any], lookup: Lookup, depth: int) -> Node:
    if not rule:
        return Constant(True, "@")
    either = []
    for inner in rule:
        together = [inner] if isinstance(inner, str) else inner
        if not isinstance(together, list) or not all(isinstance(one, str) for one in together):
            raise PolicyError("a rule as a list holds lists of checks")
        if together:
            either.append(_joined(Every, [_check(one, lookup, depth) for one in together]))
    return _joined(Some, either) if either else Constant(True, "@")


def _joined(kind: type[Every] | type[Some], nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else kind(tuple(nodes))


def _words(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise PolicyError(f"cannot read {text[at : at + 30].strip()!r}: is a quote not closed?")
        found.append(match.group(1) or match.group(2))
        at = match.end()
    return found


class _Parser:
    """By descent: or, and, not, check."""

    def __init__(self, words: list[str], lookup: Lookup, depth: int) -> None:
        self.words = words
        self.at = 0
        self.lookup = lookup
        self.depth = depth

    def whole(self) -> Node:
        node = self.either(0)
        if self.at < len(self.words):
            raise PolicyError(f"'and' or 'or' is missing before {self.words[self.at]!r}")
        return node

    def _next_is(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at].lower() == word:
            self.at += 1
            return True
        return False

    def either(self, depth: int) -> Node:
        nodes = [self.every(depth)]
        while self._next_is("or"):
            nodes.append(self.every(depth))
        return _joined(Some, nodes)

    def every(self, depth: int) -> Node:
        nodes = [self.one(depth)]
        while self._next_is("and"):
            nodes.append(self.one(depth))
        return _joined(Every, nodes)

    def one(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise PolicyError(f"more than {DEEPEST} parentheses inside each other")
        if self._next_is("not"):
            return Not(self.one(depth + 1))
        if self._next_is("("):
            node = self.either(depth + 1)
            if not self._next_is(")"):
                raise PolicyError("a parenthesis is not closed")
            return node
        if self.at >= len(self.words):
            raise PolicyError("a check is missing at the end")
        word = self.words[self.at]
        if word == ")" or word.lower() in ("and", "or"):
            raise PolicyError(f"a check is missing before {word!r}")
        self.at += 1
        return _check(word, self.lookup, self.depth)


def _check(word: str, lookup: Lookup, depth: int) -> Node:
    if word in ("@", "!"):
        return Constant(word == "@", word)
    kind, colon, match = word.partition(":") if word[:1] not in "\"'" else _quoted_kind(word)
    if not colon or not kind:
        raise PolicyError(f"{word!r} is no check: write kind:match, such as role:member")
    if kind == "rule":
        return Reference(match, lookup(match, depth + 1))
    if kind in ("http", "https"):
        raise PolicyError(f"{word!r} asks another server, which Pilvi does not: write what it decides as a rule")
    if kind == "role":
        return Leaf(word, _role(match))
    if kind == "field":
        return Leaf(word, _field(match))
    return Leaf(word, _comparison(kind, match))


def _quoted_kind(word: str) -> tuple[str, str, str]:
    end = word.find(word[0], 1) + 1
    return word[:end], word[end : end + 1], word[end + 1 :]


def _role(match: str) -> Callable[[Context, Target], bool]:
    if not _PLACE.search(match):
        name = match.lower()
        return lambda ctx, target: name in ctx.roles or any(role.lower() == name for role in ctx.roles)
    wanted = _filled(match)
    return lambda ctx, target: (value := wanted(target)) is not None and value.lower() in {r.lower() for r in ctx.roles}


def _field(match: str) -> Callable[[Context, Target], bool]:
    """`field:networks:router:external=True`: an attribute of the target."""
    _, colon, rest = match.partition(":")
    name, equals, value = rest.partition("=")
    if not colon or not equals:
        raise PolicyError(f"field:{match} must be field:RESOURCES:ATTRIBUTE=VALUE")
    found = _attribute(name)
    return lambda ctx, target: (have := found(target)) is not None and str(have).lower() == value.lower()


def _comparison(kind: str, match: str) -> Callable[[Context, Target], bool]:
    wanted = _filled(match)
    literal = _literal(kind)
    if literal == "None":
        return lambda ctx, target: wanted(target) in (None, "None")
    if literal is not None:
        return lambda ctx, target: wanted(target) == literal
    have = _CALLER.get(kind)
    if have is None:
        raise PolicyError(f"{kind!r} is nothing that a caller has; known are {', '.join(sorted(_CALLER))}")

    if match == "None":
        return lambda ctx, target: not have(ctx)

    def compare(ctx: Context, target: Target) -> bool:
        mine = have(ctx)
        if mine is None or mine == "":
            return False
        value = wanted(target)
        return value in mine if isinstance(mine, frozenset) else value == str(mine)

    return compare


def _literal(kind: str) -> str | None:
    if kind[0] in "\"'" or kind in ("True", "False", "None") or kind.isdigit():
        return str(ast.literal_eval(kind))
    return None


def _filled(match: str) -> Callable[[Target], str | None]:
    """From a target to the match with its values filled in; None when one is missing."""
    whole = _PLACE.fullmatch(match)
    if whole:
        found = _attribute(whole.group(1))
        return lambda target: None if (value := found(target)) is None else str(value)
    places = _PLACE.findall(match)
    if not places:
        text = match[1:-1] if len(match) > 1 and match[0] in "\"'" and match[-1] == match[0] else match
        return lambda target: text
    getters = {name: _attribute(name) for name in places}

    def fill(target: Target) -> str | None:
        values = {name: get(target) for name, get in getters.items()}
        return None if None in values.values() else _PLACE.sub(lambda m: str(values[m.group(1)]), match)

    return fill


_OF_GRANTS = {
    "target.user.domain_id": "actor_domain_id", "target.group.domain_id": "actor_domain_id",
    "target.project.domain_id": "target_domain_id", "target.domain.id": "target_domain_id",
    "target.trust.trustor_user_id": "trustor_id", "target.trust.trustee_user_id": "trustee_id",
    "target.token.user_id": "user_id",
}  # fmt: skip
"""How our targets call what upstream's names with a path mean."""


def _attribute(name: str) -> Callable[[Target], Any]:
    """A value of the target by upstream's name for it: `tenant_id`, `target.user.domain_id`, `network:tenant_id`."""
    plain = name.replace("tenant_id", "project_id")
    parts = re.split(r"[.:]", plain.removeprefix("target."))
    candidates = [plain, "_".join(parts), parts[-1] if parts[-1] != "id" else "_".join(parts[-2:])]
    if name in _OF_GRANTS:
        candidates.append(_OF_GRANTS[name])
    keys = tuple(dict.fromkeys(candidates))
    if len(keys) == 1:
        only = keys[0]
        return lambda target: target.get(only)
    return lambda target: next((target[key] for key in keys if target.get(key) is not None), None)


_BOTH = {True: frozenset({"True", "1"}), False: frozenset({"False", "0"})}
"""`is_admin:True` and `is_admin:1` are both in use."""

_CALLER: dict[str, Callable[[Context], Any]] = {
    "user_id": lambda ctx: ctx.user_id,
    "project_id": lambda ctx: ctx.project_id,
    "tenant_id": lambda ctx: ctx.project_id,
    "tenant": lambda ctx: ctx.project_id,
    "user": lambda ctx: ctx.user_id,
    "domain_id": lambda ctx: ctx.domain_id,
    "user_domain_id": lambda ctx: ctx.principal.user_domain_id,
    "project_domain_id": lambda ctx: ctx.principal.project_domain_id,
    "token.project.domain.id": lambda ctx: ctx.principal.project_domain_id,
    "token.domain.id": lambda ctx: ctx.domain_id,
    "system_scope": lambda ctx: "all" if ctx.principal.system else None,
    "system": lambda ctx: "all" if ctx.principal.system else None,
    "roles": lambda ctx: ctx.roles,
    "service_roles": lambda ctx: ctx.service_roles,
    "is_admin": lambda ctx: _BOTH[ctx.is_admin],
    "is_admin_project": lambda ctx: "True",
    "host": lambda ctx: ctx.host,
}
"""What a caller has, by upstream's name. `host` is ours: the host whose agent asks, proven by its certificate."""
