"""`pilvi policy`: what the rules say, who they let, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pilvi.identity import facade as identity
from pilvi.kernel import policy_files
from pilvi.kernel.config import Config, ConfigError
from pilvi.kernel.context import Context, Principal
from pilvi.kernel.db import Tx
from pilvi.kernel.policy import RULES, Rule
from pilvi.kernel.policy_language import Constant, Node, PolicyError


def load(config: Config) -> policy_files.Overrides:
    """The operator's files in force. The rules must have been declared: by importing the services."""
    try:
        overrides = policy_files.read(config.paths.policy)
    except PolicyError as error:
        raise ConfigError(f"{config.paths.policy}: {error}.") from None
    policy_files.apply(overrides)
    return overrides


def rule(name: str) -> Rule:
    found = RULES.get(name)
    if found is None:
        from difflib import get_close_matches

        close = get_close_matches(name, RULES, n=3)
        raise ConfigError(f"There is no rule {name}. " + (f"Close: {', '.join(close)}." if close else ""))
    return found


def listing(part: str) -> Iterator[str]:
    """A file of all rules in force, ready to be changed and kept; what is changed already stands first."""
    for one in sorted(RULES.values(), key=lambda r: (r.override is None, r.name)):
        if part in one.name:
            yield f"# {one.description}{' CHANGED; default: ' + one.default.text if one.override else ''}"
            yield f'{"" if one.override else "# "}"{one.name}": "{one.in_force.text}"'


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    lines: tuple[str, ...]


def explain(one: Rule, ctx: Context, target: dict[str, Any]) -> Verdict:
    """Each part of a rule with whether it holds for this caller on this target."""
    lines = [f"{one.name}: {one.description}"]
    allowed = one.allows(ctx, **target)
    if not one.is_in_scope(ctx):
        lines.append(f"no   the token's scope: this rule is for {' or '.join(one.scopes)}")
    lines += _tree(one.in_force, ctx, target, 0)
    source = "the operator's file" if one.override is not None else "the default"
    roles = ", ".join(sorted(ctx.roles)) or "none"
    lines.append(f"{'ALLOWED' if allowed else 'DENIED'} by {source}. Roles in force: {roles}.")
    return Verdict(allowed, tuple(lines))


def _tree(node: Node, ctx: Context, target: dict[str, Any], depth: int) -> Iterator[str]:
    mark = "yes" if node(ctx, target) else "no "
    text = "everybody" if isinstance(node, Constant) and node.value else node.text
    yield f"{mark}  {'  ' * depth}{text}"
    for part in node.parts():
        yield from _tree(part, ctx, target, depth + 1)


def caller(tx: Tx, user: str, *, project: str = "", domain: str = "", system: bool = False) -> Principal:
    """The user as a token for that scope would show them; ConfigError when there is no such thing."""
    user_id = identity.find_user_anywhere(tx, user)
    if user_id is None:
        raise ConfigError(f"There is no user {user}. Give an id, or a name as NAME@DOMAIN outside the default domain.")
    scope, scope_id = _scope(tx, project, domain, system)
    found = identity.standing(tx, user_id, scope, scope_id)
    if found is None:
        raise ConfigError(f"{user} cannot have a token for {scope} {project or domain}: no role there, or disabled.")
    return found


def _scope(tx: Tx, project: str, domain: str, system: bool) -> tuple[str, str]:
    if system:
        return "system", "system"
    for kind, name in (("project", project), ("domain", domain)):
        if name:
            id = identity.find_place_anywhere(tx, name, is_domain=kind == "domain")
            if id is None:
                raise ConfigError(f"There is no {kind} {name}. Give its id, or its name.")
            return kind, id
    return "unscoped", ""


def context(principal: Principal) -> Context:
    return Context("req-policy", principal)


def own_target(ctx: Context) -> dict[str, Any]:
    """What belongs to the caller and the place of the token: the usual target of a question without one."""
    here = ctx.project_id or None
    return {"project_id": here, "user_id": ctx.user_id, "domain_id": ctx.domain_id, "network_project_id": here}


def who_can(tx: Tx, one: Rule, project: str = "") -> Iterator[str]:
    """Everybody whom a rule lets act on what is their own, or on something of one project."""
    project_id = identity.find_place_anywhere(tx, project, is_domain=False) if project else None
    if project and project_id is None:
        raise ConfigError(f"There is no project {project}. Give its id, or its name.")
    for user_id, scope, scope_id in identity.standings(tx):
        principal = identity.standing(tx, user_id, scope, scope_id)
        if principal is None:
            continue
        ctx = context(principal)
        target = own_target(ctx)
        if project_id is not None:
            target |= {"project_id": project_id, "network_project_id": project_id, "user_id": None}
        if one.allows(ctx, **target):
            place = principal.project_name or principal.domain_name or ""
            roles = ", ".join(sorted(ctx.roles))
            yield f"{principal.user_name}@{principal.user_domain_name}  {scope} {place}  ({roles})"
