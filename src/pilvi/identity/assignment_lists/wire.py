"""One entry of the list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pilvi.identity.role_assignments.model import Assignment, Effective
from pilvi.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that the entries name, by id."""

    users: Mapping[str, Any]
    groups: Mapping[str, Any]
    projects: Mapping[str, Any]
    domains: Mapping[str, str]
    roles: Mapping[str, Any]

    def of(self, kind: str, id: str) -> dict[str, Any]:
        known: Mapping[str, Any] = {"user": self.users, "group": self.groups, "role": self.roles}.get(
            kind, self.projects
        )
        thing = known.get(id)
        if thing is None:
            return {"id": id}
        shown = {"id": id, "name": thing.name}
        if kind != "domain" and thing.domain_id:
            shown["domain"] = {"id": thing.domain_id, "name": self.domains.get(thing.domain_id)}
        return shown


def entry(ctx: Context, effective: Effective, names: Names | None) -> dict[str, Any]:
    grant = effective.assignment

    def shown(kind: str, id: str) -> dict[str, Any]:
        return names.of(kind, id) if names is not None else {"id": id}

    scope: dict[str, Any] = {"system": {"all": True}}
    if grant.target_type != "system":
        scope = {grant.target_type: shown(grant.target_type, grant.target_id)}
    if grant.inherited:
        scope["OS-INHERIT:inherited_to"] = "projects"
    return {
        grant.actor_type: shown(grant.actor_type, grant.actor_id),
        "role": shown("role", grant.role_id),
        "scope": scope,
        "links": _links(f"{ctx.base_url}/v3", effective),
    }


def _links(url: str, effective: Effective) -> dict[str, str]:
    source, grant = effective.source, effective.assignment
    links = {"assignment": url + _path(source)}
    if source.actor_type == "group" and grant.actor_type == "user":
        links["membership"] = f"{url}/groups/{source.actor_id}/users/{grant.actor_id}"
    if effective.prior_role_id:
        links["prior_role"] = f"{url}/prior_roles/{effective.prior_role_id}/implies/{grant.role_id}"
    return links


def _path(grant: Assignment) -> str:
    actor = f"{grant.actor_type}s/{grant.actor_id}/roles/{grant.role_id}"
    if grant.target_type == "system":
        return f"/system/{actor}"
    path = f"/{grant.target_type}s/{grant.target_id}/{actor}"
    return f"/OS-INHERIT{path}/inherited_to_projects" if grant.inherited else path
