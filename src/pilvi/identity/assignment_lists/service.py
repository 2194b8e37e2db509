"""Works the list out: filters, effective grants (groups, inheritance, implied roles), names and links."""

from dataclasses import replace
from typing import Any

from pilvi.identity.assignment_lists.model import Asked, asked, matches
from pilvi.identity.assignment_lists.wire import Names, entry
from pilvi.identity.groups import service as groups
from pilvi.identity.projects import service as projects
from pilvi.identity.role_assignments import policy, service
from pilvi.identity.role_assignments.model import Assignment, Effective, spread
from pilvi.identity.roles import service as roles
from pilvi.identity.users import service as users
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query


def list_all(ctx: Context, tx: Tx, query: Query) -> list[dict[str, Any]]:
    wanted = asked(query)
    only_domain = ctx.domain_id if ctx.domain_id and not ctx.is_admin else None
    _check(ctx, tx, wanted, only_domain)
    wanted_projects = _projects(tx, wanted)
    if wanted.effective:
        found = _effective(tx, wanted, wanted_projects)
    else:
        found = [Effective(grant, grant) for grant in _as_given(tx, wanted, wanted_projects)]
    if only_domain:
        inside = {p.id for p in projects.in_domain(tx, only_domain)} | {only_domain}
        found = [e for e in found if e.assignment.target_id in inside]
    names = _names(tx, found) if wanted.names else None
    return [entry(ctx, e, names) for e in found]


def everybody(tx: Tx) -> list[tuple[str, str, str]]:
    """Every user with every place where they have an effective role: user id, kind and id of the place."""
    everything = Asked(None, None, None, None, None, False, None, effective=True, names=False, subtree=False)
    found = (effective.assignment for effective in _effective(tx, everything, None))
    return sorted({(one.actor_id, one.target_type, one.target_id) for one in found})


def _check(ctx: Context, tx: Tx, wanted: Asked, only_domain: str | None) -> None:
    if not wanted.subtree:
        policy.LIST_ALL.check(ctx, domain_id=only_domain)
        return
    project = projects.find(tx, wanted.project_id or "")
    domain_id = project.home_domain_id if project else None
    policy.LIST_SUBTREE.check(ctx, project_id=wanted.project_id, domain_id=domain_id)
    ctx.checked.add(policy.LIST_ALL.name)


def _projects(tx: Tx, wanted: Asked) -> set[str] | None:
    if not wanted.project_id:
        return None
    below = projects.descendants(tx, wanted.project_id) if wanted.subtree else []
    return {wanted.project_id, *(p.id for p in below)}


def _as_given(tx: Tx, wanted: Asked, wanted_projects: set[str] | None) -> list[Assignment]:
    target_type = "system" if wanted.system else "domain" if wanted.domain_id else None
    target_id: Any = wanted.domain_id
    if wanted_projects is not None:
        target_type, target_id = "project", sorted(wanted_projects)
    actor_type = "user" if wanted.user_id else "group" if wanted.group_id else None
    return service.search(
        tx, actor_type=actor_type, actor_id=wanted.user_id or wanted.group_id, target_type=target_type,
        target_id=target_id, role_id=wanted.role_id, inherited=wanted.inherited,
    )  # fmt: skip


def _effective(tx: Tx, wanted: Asked, wanted_projects: set[str] | None) -> list[Effective]:
    if wanted.user_id:
        grants = service.given(tx, [wanted.user_id, *groups.ids_of_user(tx, wanted.user_id)])
    else:
        grants = service.search(tx)
    if wanted.inherited:
        grants = [g for g in grants if g.inherited]
    members = groups.members(tx, sorted({g.actor_id for g in grants if g.actor_type == "group"}))
    found: dict[Assignment, Effective] = {}
    for grant in grants:
        reached = members[grant.actor_id] if grant.actor_type == "group" else [grant.actor_id]
        for effective in spread(grant, reached, _targets(tx, grant, wanted, wanted_projects)):
            for implied in _implied(tx, effective):
                if matches(implied.assignment, wanted, wanted_projects):
                    found.setdefault(implied.assignment, implied)
    return list(found.values())


def _targets(tx: Tx, grant: Assignment, wanted: Asked, projects_asked: set[str] | None) -> list[tuple[str, str]]:
    if not grant.inherited:
        return [(grant.target_type, grant.target_id)]
    if wanted.system or wanted.domain_id:
        return []
    below = [p.id for p in service.below(tx, grant.target_type, grant.target_id)]
    return [("project", id) for id in below if projects_asked is None or id in projects_asked]


def _implied(tx: Tx, effective: Effective) -> list[Effective]:
    """The role itself and, one by one, what it implies; a domain's own role is not effective itself."""
    graph = roles.graph(tx)
    given = effective.assignment.role_id
    found = []
    for id in sorted(graph.closure([given]), key=given.__ne__):
        if graph.roles[id].domain_id:
            continue
        prior = "" if id == given else next(p for p in graph.closure([given]) if id in graph.implied.get(p, ()))
        found.append(Effective(replace(effective.assignment, role_id=id), effective.source, prior))
    return found


def _names(tx: Tx, found: list[Effective]) -> Names:
    grants = [e.assignment for e in found]
    people = users.find_many(tx, sorted({g.actor_id for g in grants if g.actor_type == "user"}))
    teams = groups.find_many(tx, sorted({g.actor_id for g in grants if g.actor_type == "group"}))
    places = {p.id: p for p in projects.find_many(tx, {g.target_id for g in grants})}
    homes = {u.domain_id for u in people} | {g.domain_id for g in teams} | {p.domain_id for p in places.values()}
    domains = {d.id: d.name for d in projects.find_many(tx, homes)}
    return Names({u.id: u for u in people}, {g.id: g for g in teams}, places, domains, roles.graph(tx).roles)
