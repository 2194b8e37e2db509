"""What other services and processes may ask of identity."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from pilvi.identity import passwords
from pilvi.identity.application_credentials import model as application_credentials
from pilvi.identity.assignment_lists import service as assignment_lists
from pilvi.identity.credentials import service as credentials
from pilvi.identity.domain_configs import service as domain_configs
from pilvi.identity.domains.service import DEFAULT_ID
from pilvi.identity.endpoints import service as endpoints
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import service as keys
from pilvi.identity.limits import service as limits
from pilvi.identity.oauth_consumers import service as oauth_consumers
from pilvi.identity.oauth_tokens import service as oauth_tokens
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.regions import service as regions
from pilvi.identity.regions.model import Region
from pilvi.identity.rights import service as rights_of_tokens
from pilvi.identity.rights.model import Validated
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.role_assignments.model import SYSTEM, Assignment
from pilvi.identity.roles import service as roles
from pilvi.identity.roles.model import Role
from pilvi.identity.services import service as services
from pilvi.identity.services.model import Service
from pilvi.identity.settings import current as settings
from pilvi.identity.tokens import service as tokens
from pilvi.identity.users import service as users
from pilvi.identity.users.model import User
from pilvi.kernel.context import Principal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Unauthorized
from pilvi.kernel.secret_files import SecretFile

hash_password = passwords.hash_password
"""Slow on purpose: call it before the transaction."""

CHAIN = ("admin", "manager", "member", "reader")
"""Each implies the next."""
SERVICES: tuple[tuple[str, str, str], ...] = (
    ("identity", "identity", "/identity"),
    ("image", "image", "/image"),
    ("placement", "placement", "/placement"),
    ("compute", "compute", "/compute/v2.1"),
    ("network", "network", "/network"),
)
"""Type, name and path of what the catalog starts with."""


# ---- on every request --------------------------------------------------------------------------------------------


def authenticate(tx: Tx, token: str, *, late: bool = False) -> Principal:
    """Whom a token stands for, with the roles in force now; raises Unauthorized.

    `late` lets a token pass that ended a while ago: for requests that a service makes for a user (X-Service-Token).
    """
    validated = tokens.validate(tx, token, grace_s=settings.expired_token_grace_s if late else 0.0)
    return epochs.cached(tx, ("principal", token), lambda: principal(validated))


def principal(validated: Validated) -> Principal:
    token, rights = validated.token, validated.rights
    project, domain = rights.project, rights.domain
    return Principal(
        user_id=rights.user.id,
        user_name=rights.user.name,
        user_domain_id=rights.user_domain.id,
        user_domain_name=rights.user_domain.name,
        project_id=project.id if project else None,
        project_name=project.name if project else None,
        project_domain_id=domain.id if project and domain else None,
        project_domain_name=domain.name if project and domain else None,
        domain_id=domain.id if domain and not project else None,
        domain_name=domain.name if domain and not project else None,
        system=rights.system,
        roles=frozenset(role.name for role in rights.roles),
        expires_at=token.expires_us / 1_000_000,
        audit_id=token.audit_ids[0],
        token=validated,
    )


def permits(who: Principal, service_type: str, method: str, path: str) -> bool:
    """Whether the access rules of the token's application credential, if it has any, allow this request.

    `path` is below the service's endpoint, such as `/v2.1/servers`.
    """
    rules = who.token.rights.access_rules if who.token is not None else None
    return rules is None or application_credentials.allows(rules, service_type, method, path)


# ---- look-ups ----------------------------------------------------------------------------------------------------


def project_exists(tx: Tx, id: str) -> bool:
    return projects.find(tx, id) is not None


def project_names(tx: Tx, ids: set[str]) -> dict[str, str]:
    """Id → name, of projects and domains that there are."""
    return {p.id: p.name for p in projects.find_many(tx, ids)}


def user_names(tx: Tx, ids: set[str]) -> dict[str, str]:
    return {u.id: u.name for u in users.find_many(tx, sorted(ids))}


def find_project(tx: Tx, domain_name: str, name: str) -> str | None:
    """The id of a project by names, for commands."""
    domain = projects.find_domain_named(tx, domain_name)
    project = projects.find_named(tx, domain.id, name) if domain is not None else None
    return project.id if project is not None else None


def find_user(tx: Tx, domain_name: str, name: str) -> str | None:
    domain = projects.find_domain_named(tx, domain_name)
    user = users.find_named(tx, domain.id, name) if domain is not None else None
    return user.id if user is not None else None


def find_user_anywhere(tx: Tx, text: str) -> str | None:
    """The id of a user by id, name in the default domain, or NAME@DOMAIN."""
    if users.find(tx, text) is not None:
        return text
    name, _, domain = text.rpartition("@")
    return (find_user(tx, domain, name) if name else None) or find_user(tx, "Default", text)


def find_place_anywhere(tx: Tx, text: str, *, is_domain: bool) -> str | None:
    """The id of a project or domain by id, name, or (projects) NAME@DOMAIN."""
    found = projects.find(tx, text)
    if found is not None and found.is_domain == is_domain:
        return text
    if is_domain:
        named = projects.find_domain_named(tx, text)
        return named.id if named is not None else None
    name, _, domain = text.rpartition("@")
    return (find_project(tx, domain, name) if name else None) or find_project(tx, "Default", text)


def standing(tx: Tx, user_id: str, scope: str, scope_id: str) -> Principal | None:
    """What a token of this user for this scope would come to; None when there can be none."""
    token = tokens.scoped(tokens.fresh(user_id, ("password",)), scope, scope_id)
    try:
        return principal(Validated(token, rights_of_tokens.of(tx, token)))
    except Unauthorized:
        return None


def standings(tx: Tx) -> list[tuple[str, str, str]]:
    """Every user with every place where they have a role: user id, kind and id of the scope."""
    return assignment_lists.everybody(tx)


def role_names(tx: Tx) -> list[str]:
    return sorted({role.name for role in roles.graph(tx).roles.values() if not role.domain_id})


def role_names_on_project(tx: Tx, user_id: str, project_id: str) -> frozenset[str]:
    """The roles that a user has on a project now; empty when either is not there."""
    project = projects.find(tx, project_id)
    if project is None:
        return frozenset()
    return frozenset(r.name for r in role_assignments.roles_on_project(tx, user_id, project))


def is_valid(tx: Tx, token: str) -> bool:
    try:
        tokens.validate(tx, token)
    except Unauthorized:
        return False
    return True


def certificate(tx: Tx, id: str, *, user_id: str, project_id: str) -> str | None:
    """The text of a credential of type `cert` that is the user's own or the project's."""
    return credentials.certificate(tx, id, user_id=user_id, project_id=project_id)


def limit_in_force(tx: Tx, service_type: str, resource: str, project_id: str) -> int | None:
    """A project's limit of a resource, -1 for no limit; None where nobody registered one."""
    return limits.in_force(tx, service_type, resource, project_id)


def open_keys_with(path: Path) -> None:
    """The file that the keys in the database are sealed with. Every process of a cloud says so before it begins; `up`
    makes the file before there is a database."""
    settings.sealing = SecretFile(path) if path.exists() else None


# ---- the beginning -----------------------------------------------------------------------------------------------


def rotate_keys(database: Database) -> int:
    """New keys from now on; tokens that are out stay valid. What is kept encrypted is encrypted anew; how much it was.

    In pieces, so that others may write between them. Whoever dies in the middle loses nothing: run it again.
    """

    def rotate(tx: Tx) -> None:
        for purpose in keys.PURPOSES:
            keys.rotate(tx, purpose)

    seal_keys_anew(database)
    database.write(rotate)
    holders = (credentials.HOLDER, oauth_consumers.HOLDER, oauth_tokens.HOLDER, domain_configs.HOLDER)
    count = sum(_encrypt_anew(database, holder) for holder in holders)
    database.write(keys.drop_old_credential_keys)
    return count


def seal_keys_anew(database: Database) -> None:
    """With the newest line of the key file; its other lines may go then."""
    database.write(keys.seal_anew)


def _encrypt_anew(database: Database, holder: keys.Holder) -> int:
    after: str | None = ""
    count = 0
    while after is not None:
        after, done = database.write(partial(keys.encrypt_anew, holder=holder, after=after))
        count += done
    return count


def bootstrap(
    tx: Tx,
    *,
    admin_password_hash: str,
    region: str,
    public_url: str,
    services_wanted: tuple[tuple[str, str, str], ...] = SERVICES,
) -> None:
    """Make what a cloud starts with. May be run again: what is there is left alone, but endpoints follow the URL."""
    epochs.begin(tx)
    keys.ensure(tx)
    if projects.find(tx, DEFAULT_ID) is None:
        projects.add(tx, Project(DEFAULT_ID, "Default", "", "", True, True, "The default domain"))
    project = projects.find_named(tx, DEFAULT_ID, "admin") or projects.add(
        tx, Project("", "admin", DEFAULT_ID, DEFAULT_ID, False, True, "Where the administrators of this cloud work.")
    )
    by_name = _roles(tx)
    user = _admin(tx, admin_password_hash)
    for target_type, target_id in (("project", project.id), ("system", SYSTEM)):
        grant = Assignment("user", user.id, target_type, target_id, by_name["admin"].id, False)
        if not role_assignments.exists(tx, grant):
            role_assignments.give(tx, grant)
    if regions.find(tx, region) is None:
        regions.add(tx, Region(region, "", None))
    _catalog(tx, region, public_url.rstrip("/"), services_wanted)


def _roles(tx: Tx) -> dict[str, Role]:
    found = {r.name: r for r in roles.graph(tx).roles.values() if not r.domain_id}
    for name in (*CHAIN, "service"):
        if name not in found:
            found[name] = roles.add(tx, Role("", name, "", "", {"immutable": True}))
    for prior, implied in pairwise(CHAIN):
        roles.ensure_implied(tx, found[prior].id, found[implied].id)
    return found


def _admin(tx: Tx, password_hash: str) -> User:
    found = users.find_named(tx, DEFAULT_ID, "admin")
    if found is not None:
        return found
    admin = User("", "admin", DEFAULT_ID, True, None, password_hash, None, None, 0, 0.0, 0)
    return users.add(tx, admin, replace(settings.passwords, expires_after_days=0))


def _catalog(tx: Tx, region: str, public_url: str, wanted: tuple[tuple[str, str, str], ...]) -> None:
    known = {s.type: s for s in services.everything(tx)}
    there = {(e.service_id, e.interface, e.region_id): e for e in endpoints.everything(tx)}
    for type, name, path in wanted:
        service = known.get(type) or services.add(tx, Service("", type, name, "", True))
        for interface in ("public", "internal", "admin"):
            url = public_url + path
            endpoint = there.get((service.id, interface, region))
            if endpoint is None:
                endpoints.add(tx, Endpoint("", interface, url, service.id, region, True))
            elif endpoint.url != url:
                endpoints.move(tx, endpoint, url)


def set_password(tx: Tx, user_id: str, password_hash: str) -> None:
    """For an administrator who lost theirs: older tokens of the user end."""
    users.set_own_password(tx, users.get(tx, user_id), password_hash, settings.passwords)
