"""The rule engine: from what an identity provider asserts about somebody to who they are here. Pure.

A rule counts when all its `remote` conditions hold. Conditions without `any_one_of` and `not_any_of` hand their values
on: `{0}` in the rule's `local` part is the first of them. All rules that count add groups and projects; the user comes
from the first one that names one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilvi.identity.mappings.model import Mapping as Rules
from pilvi.kernel.errors import Unauthorized

Assertion = Mapping[str, Sequence[str]]
"""Attribute → its values."""

LONGEST_VALUE = 4096
"""Characters of one asserted value; patterns are tried on no more."""
VALUES_LIMIT = 1000
"""Values of one attribute."""
_PLACE = re.compile(r"\{(\d{1,3})\}")


@dataclass(frozen=True, slots=True)
class Place:
    """A domain by id or by name; neither: that of the identity provider."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class MappedUser:
    """Who it is: somebody of ours (`is_local`), or somebody who exists by the provider's word."""

    id: str = ""
    name: str = ""
    email: str = ""
    domain: Place = Place()
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class MappedGroup:
    id: str = ""
    name: str = ""
    domain: Place = Place()


@dataclass(frozen=True, slots=True)
class MappedProject:
    """A project that is made if it is not there, and the roles that the user gets on it."""

    name: str
    role_names: tuple[str, ...]
    domain: Place = Place()


@dataclass(slots=True)
class Mapped:
    user: MappedUser
    groups: list[MappedGroup] = field(default_factory=list)
    projects: list[MappedProject] = field(default_factory=list)


def wrong(what: str) -> Unauthorized:
    """The mapping makes no sense for this assertion: its author must look."""
    return Unauthorized(f"The mapping of this identity provider cannot be applied: {what}")


def apply(mapping: Rules, assertion: Assertion) -> Mapped:
    """Whom the assertion means; raises Unauthorized when no rule says so."""
    users: list[MappedUser] = []
    found = Mapped(MappedUser())
    for rule in mapping.rules:
        values = _matched(rule["remote"], assertion)
        if values is not None:
            for local in rule["local"]:
                _take(found, users, _Local(local, values, mapping.schema_version))
    if not users:
        raise Unauthorized("No rule of the mapping says who this is: the identity provider's attributes fit none.")
    found.user = users[0]
    return found


# ---- conditions --------------------------------------------------------------------------------------------------


def _matched(conditions: Iterable[dict[str, Any]], assertion: Assertion) -> list[list[str]] | None:
    """The values that conditions hand on, or None when one of them does not hold."""
    handed_on = []
    for condition in conditions:
        values = [value[:LONGEST_VALUE] for value in assertion.get(condition["type"], ())][:VALUES_LIMIT]
        if not values:
            return None
        is_regex = condition.get("regex", False)
        if "any_one_of" in condition:
            if not _among(values, condition["any_one_of"], is_regex):
                return None
        elif "not_any_of" in condition:
            if _among(values, condition["not_any_of"], is_regex):
                return None
        else:
            handed_on.append(_kept(values, condition, is_regex))
    return handed_on


def _kept(values: list[str], condition: dict[str, Any], is_regex: bool) -> list[str]:
    if "whitelist" in condition:
        return _among(values, condition["whitelist"], is_regex)
    if "blacklist" in condition:
        dropped = set(_among(values, condition["blacklist"], is_regex))
        return [value for value in values if value not in dropped]
    return values


def _among(values: list[str], wanted: list[str], is_regex: bool) -> list[str]:
    """The values that are, or match, one of those wanted."""
    if not is_regex:
        known = set(wanted)
        return [value for value in values if value in known]
    patterns = [re.compile(pattern) for pattern in wanted]
    return [value for value in values if any(pattern.search(value) for pattern in patterns)]


def check_patterns(rules: list[dict[str, Any]]) -> str | None:
    """What is wrong with the patterns in rules, if anything."""
    for rule in rules:
        for condition in rule["remote"]:
            for name in ("any_one_of", "not_any_of", "whitelist", "blacklist") if condition.get("regex") else ():
                for pattern in condition.get(name, ()):
                    try:
                        re.compile(pattern)
                    except re.error as error:
                        return f"{pattern!r} is no regular expression: {error}"
    return None


# ---- what they come to -------------------------------------------------------------------------------------------


class _Local:
    """One entry of `local` with the values of its rule."""

    def __init__(self, local: dict[str, Any], values: list[list[str]], version: str) -> None:
        self.local, self.values, self.version = local, values, version

    def all(self, template: str) -> list[str]:
        """A template that is nothing but `{0}` stands for all its values."""
        whole = _PLACE.fullmatch(template.strip())
        return list(self._at(whole)) if whole else [self.text(template)]

    def text(self, template: Any) -> str:
        """The template with each place filled in by the one value that it stands for."""
        if template is None:
            return ""
        if not isinstance(template, str):
            raise wrong(f"{template!r} is not a string.")
        return _PLACE.sub(self._one, template)[:LONGEST_VALUE]

    def _at(self, place: re.Match[str]) -> list[str]:
        number = int(place.group(1))
        if number >= len(self.values):
            raise wrong(f"{place.group(0)} has no condition that hands a value on.")
        return self.values[number]

    def _one(self, place: re.Match[str]) -> str:
        values = self._at(place)
        if len(values) != 1:
            raise wrong(f"{place.group(0)} stands for {len(values)} values where one is needed.")
        return values[0]

    def place(self, domain: Any) -> Place:
        if not isinstance(domain, dict):
            return Place()
        return Place(self.text(domain.get("id")), self.text(domain.get("name")))

    def own_place(self, thing: dict[str, Any]) -> Place:
        """Where a user or project is: the provider's domain, unless a newer mapping says otherwise."""
        if self.version == "1.0":
            return Place()
        return self.place(thing.get("domain") or self.local.get("domain"))


def _take(found: Mapped, users: list[MappedUser], one: _Local) -> None:
    local = one.local
    if "user" in local:
        users += _users(one, local["user"])
    if "group" in local:
        found.groups += _groups(one, local["group"])
    if "groups" in local:
        place = one.place(local.get("domain"))
        if place == Place():
            raise wrong("`groups` by name need a `domain` beside them.")
        found.groups += [MappedGroup(name=name, domain=place) for name in _names(one, local["groups"])]
    if "group_ids" in local:
        found.groups += [MappedGroup(id=id) for id in _names(one, local["group_ids"])]
    for project in local.get("projects", ()):
        found.projects.append(_project(one, project))


def _users(one: _Local, user: dict[str, Any]) -> list[MappedUser]:
    id, name = one.text(user.get("id")), one.text(user.get("name"))
    if not id and not name:
        return []
    is_local = user.get("type") == "local"
    place = one.place(user.get("domain") or one.local.get("domain")) if is_local else one.own_place(user)
    return [MappedUser(id, name or id, one.text(user.get("email")), place, is_local)]


def _groups(one: _Local, group: dict[str, Any]) -> list[MappedGroup]:
    if "id" in group:
        return [MappedGroup(id=id) for id in one.all(group["id"])]
    place = one.place(group.get("domain") or one.local.get("domain"))
    if place == Place():
        raise wrong("a `group` by name needs a `domain`.")
    return [MappedGroup(name=name, domain=place) for name in one.all(group.get("name", ""))]


def _names(one: _Local, wanted: Any) -> list[str]:
    """Names of groups: a template, a list of templates, or several in one text, apart by semicolons."""
    templates = wanted if isinstance(wanted, list) else [wanted]
    values = [value for template in templates for value in one.all(str(template))]
    return [name.strip() for value in values for name in value.split(";") if name.strip()]


def _project(one: _Local, project: Any) -> MappedProject:
    if not isinstance(project, dict) or not project.get("name"):
        raise wrong("each of `projects` needs a `name`.")
    roles = project.get("roles") or []
    names = tuple(one.text(role.get("name")) for role in roles if isinstance(role, dict))
    return MappedProject(one.text(project["name"]), names, one.own_place(project))
